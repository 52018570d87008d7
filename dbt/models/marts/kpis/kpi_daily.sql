-- A view: it turns small daily tables on their side and works nothing out itself. No CTE is read twice and each day is
-- joined to the one before it row by row, so that a reader of one day reads two days, not all.
select
    kpis.local_date,
    {{ compared_kpi() }}
from (
    {%- for relation, scope, scope_id, scope_name, key, metrics in kpi_sources() %}
    {{ unpivoted(relation, scope, scope_id, scope_name, key, metrics) }}

    union all
    {% endfor %}
    select
        local_date,
        scope,
        scope_id,
        scope_name,
        case state when 'open' then 'backlog_open' else 'backlog_' || state end,
        chat_count::double precision,
        chat_count::bigint,
        previous_chat_count::double precision,
        true
    from {{ ref('backlog_daily') }}

    union all

    select
        local_date,
        scope,
        scope_id,
        scope_name,
        'sla_' || metric || case clock when 'business' then '_business' else '' end || '_rate',
        rate,
        (met_count + breached_count)::bigint,
        previous_rate,
        false
    from {{ ref('sla_daily') }}

    union all

    select
        times.period_start,
        times.scope,
        times.scope_id,
        times.scope_name,
        times.metric || case times.clock when 'business' then '_business' else '' end || kpi.statistic,
        kpi.value,
        times.count::bigint,
        kpi.previous_value,
        false
    from {{ ref('response_times_daily') }} as times
    cross join lateral (
        values
        ('_mean', times.mean_seconds, times.previous_mean_seconds),
        ('_p50', times.p50_seconds, times.previous_p50_seconds),
        ('_p90', times.p90_seconds, times.previous_p90_seconds)
    ) as kpi (statistic, value, previous_value)
    where times.metric in ('pickup', 'first_response', 'resolution', 'handling', 'reply')
) as kpis
inner join {{ ref('kpi_metrics') }} as metrics on metrics.metric = kpis.metric
