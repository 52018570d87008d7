-- No CTEs here: Postgres merges only a view without them into its reader's query, and so looks cells up by their key.
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
    {%- for statistic in ['sum', 'mean', 'p50', 'p90'] %}
    {%- set seconds = statistic ~ '_first_response_seconds' %}
    {{ time_of_one_source('cells.' ~ seconds) }} as {{ seconds }},
    {%- endfor %}
    {{ time_of_one_source('cells.band') }} as band,
    cells.has_enough_chats and mixed_members.scope is null as has_enough_chats,
    {{ time_of_one_source('cells.fastest_rank') }} as fastest_rank,
    {{ time_of_one_source('cells.slowest_rank') }} as slowest_rank
from {{ ref('int_heatmap_cells') }} as cells
{{ join_mixed_members('cells') }}
where cells.chat_count > 0
