with slices as (
    select * from {{ ref('int_heatmap_slices') }}
),

weeks as (
    select * from {{ ref('int_heatmap_weeks') }}
),

-- Read under a name of its own: Postgres would make one that is used twice for all weeks and filters before looking.
weeks_before as (
    select * from {{ ref('int_heatmap_weeks') }}
)

select
    slices.week_start,
    slices.agent_id,
    slices.agent_name,
    slices.direction_filter,
    slices.direction_label_es,
    slices.direction_label_en,
    slices.office_hours_filter,
    slices.office_hours_label_es,
    slices.office_hours_label_en,
    coalesce(weeks.chat_count, 0) as chat_count,
    {%- for statistic in ['mean', 'p50', 'p90'] %}
    {%- set seconds = statistic ~ '_first_response_seconds' %}
    case when not slices.is_mixed then weeks.{{ seconds }} end as {{ seconds }},
    {%- endfor %}
    {{ var('slot_min_chat_count') }} as slot_min_chat_count,
    {%- for slot in ['fastest', 'slowest'] %}{% for told in ['day_of_week', 'hour', 'mean_seconds', 'chat_count'] %}
    case when not slices.is_mixed then weeks.{{ slot }}_{{ told }} end as {{ slot }}_{{ told }},
    {%- endfor %}{% endfor %}
    coalesce(weeks_before.chat_count, 0) as previous_chat_count,
    {%- for statistic in ['mean', 'p50', 'p90'] %}
    {%- set seconds = statistic ~ '_first_response_seconds' %}
    case when not slices.is_mixed then weeks_before.{{ seconds }} end as previous_{{ seconds }},
    {%- endfor %}
    {{ percent_change('weeks.chat_count', 'weeks_before.chat_count') }} as chat_count_delta_pct,
    {%- for statistic in ['mean', 'p50', 'p90'] %}
    {%- set seconds = statistic ~ '_first_response_seconds' %}
    case when not slices.is_mixed then {{ percent_change('weeks.' ~ seconds, 'weeks_before.' ~ seconds) }} end
        as {{ statistic }}_delta_pct,
    {%- endfor %}
    slices.scope,
    slices.scope_id,
    slices.scope_name
from slices
left join weeks
    on weeks.week_start = slices.week_start
    and weeks.scope = slices.scope
    and weeks.scope_id = slices.scope_id
    and weeks.direction_filter = slices.direction_filter
    and weeks.office_hours_filter = slices.office_hours_filter
left join weeks_before
    on weeks_before.week_start = slices.week_start - 7
    and weeks_before.scope = slices.scope
    and weeks_before.scope_id = slices.scope_id
    and weeks_before.direction_filter = slices.direction_filter
    and weeks_before.office_hours_filter = slices.office_hours_filter
