-- The newest weeks in full; one combination of filters is made as every other.
select
    week_start,
    scope,
    scope_id,
    count(*) as cells
from {{ ref('weekly_response_time_heatmap') }}
where direction_filter = 'all' and office_hours_filter = 'all'
    and (scope <> 'agent' and week_start >= current_date - 14 or scope = 'all')
group by week_start, scope, scope_id
having count(*) <> 168
