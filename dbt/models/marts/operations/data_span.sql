with days as (
    select
        min(created_local_date) as first_date,
        max(created_local_date) as last_date
    from {{ ref('chat_response_times') }}
)

select
    first_date,
    last_date,
    date_trunc('week', first_date)::date as first_week_start,
    date_trunc('week', last_date)::date as last_week_start,
    greatest(date_trunc('week', last_date)::date - 7, date_trunc('week', first_date)::date) as last_full_week_start
from days
