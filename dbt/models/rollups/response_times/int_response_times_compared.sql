-- No CTEs here: Postgres merges only a view without them into its reader's query, and so compares the periods that are
-- read, not all.
{%- set mean = 'times.sum_seconds::double precision / times.count' %}
{%- set mean_before = 'times_before.sum_seconds::double precision / times_before.count' %}
select
    times.period,
    times.period_start,
    times.scope,
    times.scope_id,
    coalesce(agents.name, departments.name, times.scope_id) as scope_name,
    times.metric,
    times.clock,
    times.count,
    {{ time_of_one_source('times.sum_seconds') }} as sum_seconds,
    {{ time_of_one_source(mean) }} as mean_seconds,
    {%- for statistic in ['p50', 'p90', 'p95', 'p99', 'min', 'max'] %}
    {{ time_of_one_source('times.' ~ statistic ~ '_seconds') }} as {{ statistic }}_seconds,
    {%- endfor %}
    times.under_1m_count,
    times.from_1m_to_3m_count,
    times.from_3m_to_5m_count,
    times.from_5m_to_10m_count,
    times.over_10m_count,
    coalesce(times_before.count, 0) as previous_count,
    {{ time_of_one_source(mean_before) }} as previous_mean_seconds,
    {{ time_of_one_source('times_before.p50_seconds') }} as previous_p50_seconds,
    {{ time_of_one_source('times_before.p90_seconds') }} as previous_p90_seconds,
    {{ time_of_one_source(percent_change(mean, '(' ~ mean_before ~ ')')) }} as mean_delta_pct,
    {{ time_of_one_source(percent_change('times.p50_seconds', 'times_before.p50_seconds')) }} as p50_delta_pct,
    {{ time_of_one_source(percent_change('times.p90_seconds', 'times_before.p90_seconds')) }} as p90_delta_pct
from {{ ref('int_response_times') }} as times
left join {{ ref('int_response_times') }} as times_before
    on times_before.period = times.period
    and times_before.period_start = (times.period_start - ('1 ' || times.period)::interval)::date
    and times_before.scope = times.scope
    and times_before.scope_id = times.scope_id
    and times_before.metric = times.metric
    and times_before.clock = times.clock
left join {{ ref('int_agents') }} as agents on times.scope = 'agent' and agents.id = times.scope_id
left join {{ ref('int_departments') }} as departments on times.scope = 'department' and departments.id = times.scope_id
{{ join_mixed_members('times') }}
