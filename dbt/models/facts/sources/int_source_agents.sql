-- The agents of all sources, each as its source has it; those of another one join by one more branch, as in int_conversations.
-- An address is there where nobody can give themselves somebody else's: those of B2Chat's agents are given by the account's
-- administrators, those of rooms are verified, and calls verify none.
select
    'b2chat' as source,
    agents.id as source_agent_id,
    {{ source_key('b2chat', 'agents.id') }} as id,
    agents.name,
    lower(agents.email) as verified_email
from {{ ref('agents') }} as agents

union all

select
    'rooms' as source,
    substr(agents.id, length({{ source_key('rooms', "''") }}) + 1) as source_agent_id,
    agents.id,
    agents.name,
    case when users.is_email_verified then lower(users.email) end as verified_email
from {{ ref('int_rooms__agents') }} as agents
left join {{ ref('room_users') }} as users on {{ source_key('rooms', 'users.id') }} = agents.id

union all

select
    'calls' as source,
    agents.id as source_agent_id,
    {{ source_key('calls', 'agents.id') }} as id,
    agents.name,
    null as verified_email
from {{ ref('call_directory') }} as agents
where agents.kind = 'agent'
