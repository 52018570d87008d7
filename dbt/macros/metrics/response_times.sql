{# The times of all days, weeks or months, as response_times_daily, _weekly and _monthly show them. #}
{% macro response_times_of_periods(period) -%}
select
    period_start,
    scope,
    scope_id,
    scope_name,
    metric,
    clock,
    count,
    sum_seconds,
    mean_seconds,
    p50_seconds,
    p90_seconds,
    p95_seconds,
    p99_seconds,
    min_seconds,
    max_seconds,
    under_1m_count,
    from_1m_to_3m_count,
    from_3m_to_5m_count,
    from_5m_to_10m_count,
    over_10m_count,
    previous_count,
    previous_mean_seconds,
    previous_p50_seconds,
    previous_p90_seconds,
    mean_delta_pct,
    p50_delta_pct,
    p90_delta_pct
from {{ ref('int_response_times_compared') }}
where period = '{{ period }}'
{%- endmacro %}
