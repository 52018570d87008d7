with slices as (
    select * from {{ ref('int_heatmap_slices') }}
),

weeks as (
    select * from {{ ref('heatmap_weeks') }}
)

select
    slices.week_start,
    slices.agent_id,
    slices.agent_name,
    slices.direction_filter,
    slices.office_hours_filter,
    coalesce(weeks.chat_count, 0) as chat_count,
    weeks.mean_first_response_seconds,
    weeks.p50_first_response_seconds,
    weeks.p90_first_response_seconds,
    weeks.fastest_day_of_week,
    weeks.fastest_hour,
    weeks.fastest_mean_seconds,
    weeks.slowest_day_of_week,
    weeks.slowest_hour,
    weeks.slowest_mean_seconds
from slices
left join weeks
    on weeks.week_start = slices.week_start
    and weeks.agent_id = slices.agent_id
    and weeks.direction_filter = slices.direction_filter
    and weeks.office_hours_filter = slices.office_hours_filter
