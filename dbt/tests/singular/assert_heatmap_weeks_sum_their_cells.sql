{{ config(tags='all_history', meta={'dagster': {'ref': {'name': 'heatmap_weeks'}}}) }}

-- Cells and weeks are recomputed by the same affected weeks: their totals agree for every combination of filters.
with summed as (
    select
        week_start,
        scope,
        scope_id,
        direction_filter,
        office_hours_filter,
        sum(chat_count) as chat_count,
        sum(sum_first_response_seconds) as sum_first_response_seconds
    from {{ ref('heatmap_cells') }}
    group by week_start, scope, scope_id, direction_filter, office_hours_filter
)

select *
from summed
full join {{ ref('heatmap_weeks') }} as weeks
    using (week_start, scope, scope_id, direction_filter, office_hours_filter)
where (summed.chat_count, summed.sum_first_response_seconds)
    is distinct from (weeks.chat_count, weeks.sum_first_response_seconds)
