{{ config(meta={'dagster': {'ref': {'name': 'reply_turns'}}}) }}

-- Replies, pick-ups and agents' activity ask one definition who had a chat, int_agent_assignments: each is of the agent whose
-- interval it lies in, also where a version of the chat came without an agent's name. Only the chats of the last build.
with new_chats as (
    select chat_id from {{ ref('chat_response_times') }}
    where not is_deleted
        {%- if not var('test_everything') %}
        and {{ is_new_row('chat_response_times') }}
        {%- endif %}
),

chats as (
    select * from {{ ref('chat_response_times') }}
    where {{ is_of('new_chats') }}
)

select
    turns.chat_id,
    'a reply is of an agent who did not have the chat then' as problem
from chats
inner join {{ ref('reply_turns') }} as turns on turns.chat_id = chats.chat_id
inner join {{ ref('int_agent_assignments') }} as assignments
    on assignments.chat_id = turns.chat_id
    and turns.replied_at >= assignments.assigned_from
    and turns.replied_at < assignments.assigned_to
where turns.agent_id <> {{ person_of('assignments.agent_id') }}

union all

select
    chats.chat_id,
    'a pick-up is of an agent who did not have the chat then' as problem
from chats
inner join {{ ref('int_agent_assignments') }} as assignments
    on assignments.chat_id = chats.chat_id
    and chats.picked_up_at >= assignments.assigned_from
    and chats.picked_up_at < assignments.assigned_to
where chats.pickup_agent_id is distinct from {{ person_of('assignments.agent_id') }}

union all

select
    chats.chat_id,
    'an agent is at work in a chat while another has it' as problem
from chats
inner join {{ ref('int_agent_activity') }} as activity on activity.chat_id = chats.chat_id
inner join {{ ref('int_agent_assignments') }} as assignments
    on assignments.chat_id = activity.chat_id
    and tstzrange(assignments.assigned_from, assignments.assigned_to) && tstzrange(activity.active_from, activity.active_to)
where activity.superseded_by_load_id is null
    and activity.agent_id <> {{ person_of('assignments.agent_id') }}
