-- A load touches the day on which a chat was opened and the day on which its version before was.
select
    opened_local_date,
    load_id
from {{ ref('sla_chats') }}
where opened_local_date is not null

union all

select
    {{ local_time('coalesce(opened_at, created_at)') }}::date as opened_local_date,
    load_id
from {{ ref('stg_b2chat__chat_versions') }}
where coalesce(opened_at, created_at) is not null
