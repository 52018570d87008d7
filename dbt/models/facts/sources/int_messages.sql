-- The messages of all sources; another one joins by one more branch, as in int_conversations.
select * from {{ ref('int_b2chat__messages') }}
union all
select * from {{ ref('int_rooms__messages') }}
