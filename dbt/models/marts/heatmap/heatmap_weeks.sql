-- No CTEs here: Postgres merges only a view without them into its reader's query, and so looks weeks up by their key.
{%- set slots = ['day_of_week', 'hour', 'mean_seconds', 'chat_count'] %}
select
    weeks.week_start,
    weeks.scope,
    weeks.scope_id,
    case weeks.scope when 'all' then 'all' when 'agent' then weeks.scope_id end as agent_id,
    weeks.direction_filter,
    weeks.office_hours_filter,
    weeks.chat_count,
    {%- for statistic in ['sum', 'mean', 'p50', 'p90'] %}
    {%- set seconds = statistic ~ '_first_response_seconds' %}
    {{ time_of_one_source('weeks.' ~ seconds) }} as {{ seconds }},
    {%- endfor %}
    {{ var('slot_min_chat_count') }} as slot_min_chat_count
    {%- for slot in ['fastest', 'slowest'] %}{% for told in slots %},
    {{ time_of_one_source('weeks.' ~ slot ~ '_' ~ told) }} as {{ slot }}_{{ told }}
    {%- endfor %}{% endfor %}
from {{ ref('int_heatmap_weeks') }} as weeks
{{ join_mixed_members('weeks') }}
