-- Who had a conversation when, in all sources; another one joins by one more branch, as in int_conversations.
select * from {{ ref('int_b2chat__agent_assignments') }}
union all
select * from {{ ref('int_rooms__agent_assignments') }}
union all
select * from {{ ref('int_calls__agent_assignments') }}
