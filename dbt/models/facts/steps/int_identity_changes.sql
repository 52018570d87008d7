-- Conversations of agents who became one person with others, or are no longer: of those who had them, and of those whom an
-- escalation was given to.
select
    assignments.chat_id,
    identities.identity_load_id as load_id
from {{ ref('int_agent_identities') }} as identities
inner join {{ ref('int_agent_assignments') }} as assignments on assignments.agent_id = identities.id
where identities.identity_load_id is not null

union all

select
    chats.chat_id,
    identities.identity_load_id as load_id
from {{ ref('int_agent_identities') }} as identities
inner join {{ ref('int_conversations') }} as chats on chats.agent_id = identities.id
where identities.identity_load_id is not null

union all

select
    rooms.chat_id,
    identities.identity_load_id as load_id
from {{ ref('int_agent_identities') }} as identities
inner join {{ ref('escalations') }} as escalations on escalations.assigned_to_user_id = identities.source_agent_id
inner join {{ ref('rooms') }} as rooms on rooms.id = escalations.source_room_id
where identities.identity_load_id is not null and identities.source = 'rooms'
