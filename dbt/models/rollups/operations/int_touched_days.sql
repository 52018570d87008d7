-- A load touches the day on which a chat now lies and the day on which its version before lay.
select
    created_local_date as day,
    load_id
from {{ ref('chat_response_times') }}

union all

select
    {{ local_time('created_at') }}::date as day,
    load_id
from {{ ref('stg_b2chat__chat_versions') }}
