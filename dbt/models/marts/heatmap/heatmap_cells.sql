select
    week_start,
    scope,
    scope_id,
    case scope when 'all' then 'all' when 'agent' then scope_id end as agent_id,
    direction_filter,
    office_hours_filter,
    day_of_week,
    hour,
    chat_count,
    sum_first_response_seconds,
    mean_first_response_seconds,
    p50_first_response_seconds,
    p90_first_response_seconds,
    band,
    has_enough_chats,
    fastest_rank,
    slowest_rank
from {{ ref('int_heatmap_cells') }}
where chat_count > 0
