-- No CTEs here: Postgres merges only a view without them into its reader's query, and so sums the days that are read.
{%- set counts = ['met_count', 'breached_count', 'pending_count', 'not_applicable_count', 'late_count'] %}
select
    period,
    period_start,
    period_end,
    day_count,
    is_partial,
    scope,
    scope_id,
    metric,
    clock,
    {%- for count in counts %}
    {{ count }},
    {%- endfor %}
    sum_seconds_past,
    {{ sla_rate('met_count', 'breached_count') }} as rate,
    previous_met_count + previous_breached_count as previous_judged_count,
    {{ sla_rate('previous_met_count', 'previous_breached_count') }} as previous_rate
from (
    select
        periods.period,
        periods.period_start,
        periods.period_end,
        periods.day_count,
        periods.is_partial,
        days.scope,
        days.scope_id,
        days.metric,
        days.clock,
        {%- for count in counts %}
        sum(days.{{ count }}) filter (where not periods.is_before)::integer as {{ count }},
        {%- endfor %}
        sum(days.sum_seconds_past) filter (where not periods.is_before)::bigint as sum_seconds_past,
        coalesce(sum(days.met_count) filter (where periods.is_before), 0)::integer as previous_met_count,
        coalesce(sum(days.breached_count) filter (where periods.is_before), 0)::integer as previous_breached_count
    from {{ ref('int_rollup_days') }} as periods
    inner join {{ ref('int_sla_days') }} as days on days.opened_local_date = periods.local_date
    group by
        periods.period, periods.period_start, periods.period_end, periods.day_count, periods.is_partial,
        days.scope, days.scope_id, days.metric, days.clock
    having bool_or(not periods.is_before)
) as summed
