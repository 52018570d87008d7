{#
  Columns of a daily mart as rows of kpi_daily, each beside its value of the day before.
  metrics: as in kpi_sources; a plain count (is_count) is 0 on a day without a row.
#}
{% macro unpivoted(relation, scope, scope_id, scope_name, key, metrics) %}
select
    days.local_date,
    {{ scope }} as scope,
    {{ scope_id }} as scope_id,
    {{ scope_name }} as scope_name,
    kpi.metric,
    kpi.value,
    kpi.count,
    kpi.previous_value,
    kpi.is_count
from {{ ref(relation) }} as days
left join {{ ref(relation) }} as days_before
    on days_before.local_date = days.local_date - 1
    {%- for column in key %}
    and days_before.{{ column }} = days.{{ column }}
    {%- endfor %}
cross join lateral (
    values
    {%- for entry in metrics %}{% set metric, value, count = entry[0], entry[1], entry[2] %}
    {%- if count %}
    (
        '{{ metric }}', days.{{ value }}::double precision,
        case when days.{{ value }} is null then 0 else {{ count }} end::bigint,
        days_before.{{ value }}::double precision, false
    )
    {%- else %}
    (
        '{{ metric }}', days.{{ value }}::double precision, days.{{ value }}::bigint,
        coalesce(days_before.{{ value }}, 0)::double precision, true
    )
    {%- endif %}{{ ',' if not loop.last }}
    {%- endfor %}
) as kpi (metric, value, count, previous_value, is_count)
{% endmacro %}
