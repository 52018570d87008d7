-- What happened to the conversations of all sources; another one joins by one more branch, as in int_conversations.
select * from {{ ref('int_b2chat__events') }}
union all
select * from {{ ref('int_rooms__events') }}
union all
select * from {{ ref('int_calls__events') }}
