select
    week_start,
    count(*) as cells
from {{ ref('weekly_response_time_heatmap') }}
where agent_id = 'all' and direction_filter = 'all' and office_hours_filter = 'all'
group by week_start
having count(*) <> 168
