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

compared as (
    {{ compared_cells('cells', ['week_start', 'scope', 'scope_id', 'direction_filter', 'office_hours_filter']) | indent }}
)

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
from compared
