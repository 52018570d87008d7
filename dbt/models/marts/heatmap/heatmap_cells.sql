{{ config(
    materialized='incremental',
    unique_key='week_start',
    meta={'affected_by': 'int_affected_weeks'},
) }}

with cells as (
    select
        week_start,
        scope,
        scope_id,
        direction_filter,
        office_hours_filter,
        day_of_week,
        hour,
        {{ first_response_measures() }}
    from {{ ref('int_heatmap_chats') }}
    where week_start in (
        select week_start from {{ ref('int_affected_weeks') }} as affected
        where {{ load_window('affected') }}
    )
    group by week_start, scope, scope_id, direction_filter, office_hours_filter, day_of_week, hour
),

-- Bands compare the cells of one shown week with each other. Min-max scaling would paint everything green, because
-- the slowest cell lies days above the rest.
limits as (
    select
        week_start,
        scope,
        scope_id,
        direction_filter,
        office_hours_filter,
        percentile_cont(0.33) within group (order by mean_first_response_seconds) as fast_limit,
        percentile_cont(0.66) within group (order by mean_first_response_seconds) as average_limit
    from cells
    group by week_start, scope, scope_id, direction_filter, office_hours_filter
)

select
    cells.week_start,
    cells.scope,
    cells.scope_id,
    case cells.scope when 'all' then 'all' when 'agent' then cells.scope_id end as agent_id,
    cells.direction_filter,
    cells.office_hours_filter,
    cells.day_of_week,
    cells.hour,
    cells.chat_count,
    cells.sum_first_response_seconds,
    cells.mean_first_response_seconds,
    cells.p50_first_response_seconds,
    cells.p90_first_response_seconds,
    case
        when cells.mean_first_response_seconds <= limits.fast_limit then 'fast'
        when cells.mean_first_response_seconds <= limits.average_limit then 'average'
        else 'slow'
    end as band
from cells
inner join limits
    on limits.week_start = cells.week_start
    and limits.scope = cells.scope
    and limits.scope_id = cells.scope_id
    and limits.direction_filter = cells.direction_filter
    and limits.office_hours_filter = cells.office_hours_filter
