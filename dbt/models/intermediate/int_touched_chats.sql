-- A chat is touched by the load that brought its current version, and by the load that renamed its agent or department.
select
    id as chat_id,
    load_id
from {{ ref('chats') }}

union all

select
    chats.id as chat_id,
    agents.load_id
from {{ ref('agents') }} as agents
inner join {{ ref('chats') }} as chats on chats.agent_id = agents.id

union all

select
    chats.id as chat_id,
    departments.load_id
from {{ ref('departments') }} as departments
inner join {{ ref('chats') }} as chats on chats.department_id = departments.id
