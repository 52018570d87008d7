-- What the messages of all sources say; another one joins by one more branch, as in int_conversations. Calls have no text.
select * from {{ ref('int_b2chat__texts') }}
union all
select * from {{ ref('int_rooms__texts') }}
