-- A chat is affected as its conversation is, by the load that renamed its agent or department, and by a change of the rules that
-- held while it went on.
select
    chat_id,
    load_id
from {{ ref('int_affected_conversations') }}

union all

select
    chats.chat_id,
    agents.load_id
from {{ ref('int_agents') }} as agents
inner join {{ ref('int_conversations') }} as chats on chats.agent_id = agents.id

union all

select
    chats.chat_id,
    departments.load_id
from {{ ref('int_departments') }} as departments
inner join {{ ref('int_conversations') }} as chats on chats.department_id = departments.id

union all

select
    concerned.chat_id,
    changes.load_id
from {{ ref('int_rule_changes') }} as changes
-- OFFSET makes Postgres begin with the changes: there are none in most builds, and then no chat is read.
cross join lateral (
    select chats.chat_id
    from {{ ref('int_conversations') }} as chats
    inner join {{ ref('int_chat_message_facts') }} as message_facts on message_facts.chat_id = chats.chat_id
    inner join {{ ref('int_chat_calendar') }} as calendars on calendars.chat_id = chats.chat_id
    where {{ change_concerns_chat('changes', 'chats', 'message_facts', 'calendars') }}
    {{ planner_fence() }}
) as concerned
