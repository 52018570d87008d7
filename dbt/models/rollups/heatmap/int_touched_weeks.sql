-- A load touches the week in which a chat now lies and the week in which its version before lay.
select
    created_week_start as week_start,
    load_id
from {{ ref('chat_response_times') }}

union all

select
    date_trunc('week', {{ local_time('created_at') }})::date as week_start,
    load_id
from {{ ref('stg_b2chat__chat_versions') }}
