-- A load affects the day on which a chat now lies and the days on which it lay before.
select
    local_date as day,
    load_id
from {{ ref('int_conversation_days') }}
where is_creation
