-- A load affects the week in which a chat now lies and the weeks in which it lay before.
select
    date_trunc('week', local_date)::date as week_start,
    load_id
from {{ ref('int_conversation_days') }}
where is_creation
