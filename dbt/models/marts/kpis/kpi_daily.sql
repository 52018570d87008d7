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
        'backlog_' || state,
        chat_count::double precision,
        chat_count::bigint,
        previous_chat_count::double precision,
        true
    from {{ ref('backlog_daily') }}

    union all

    {{ kpis_of_sla_and_times('sla_daily', 'local_date', 'response_times_daily') }}
) as kpis
inner join {{ ref('kpi_metrics') }} as metrics on metrics.metric = kpis.metric
