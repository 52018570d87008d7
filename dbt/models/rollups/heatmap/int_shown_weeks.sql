-- With no chat yet there is the current week alone. A source's clock may be ahead of ours, and so its newest chat.
with bounds as (
    select date_trunc('week', {{ local_time('now()') }})::date as current_week
)

select week_start::date as week_start
from bounds
cross join lateral generate_series(
    coalesce((select min(created_week_start) from {{ ref('chat_response_times') }}), current_week)::timestamp,
    greatest((select max(created_week_start) from {{ ref('chat_response_times') }}), current_week)::timestamp,
    interval '7 days'
) as week_start
