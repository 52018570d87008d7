-- The departments of all sources; those of another one join by one more branch, as in int_conversations.
select
    id,
    name,
    load_id
from {{ ref('departments') }}
union all
select
    id,
    name,
    load_id
from {{ ref('int_rooms__departments') }}
union all
select
    id,
    name,
    load_id
from {{ ref('int_calls__departments') }}
