-- A view over the marts by direction: who reads one period of one scope pays for that.
with kpis as (
    select
        service.period,
        service.period_start,
        service.scope,
        service.scope_id,
        service.direction,
        kpi.metric,
        kpi.value,
        kpi.count
    from {{ ref('service_by_direction') }} as service
    cross join lateral (
        values
        ('chats_created', service.chat_count::double precision, service.chat_count),
        ('unanswered', service.unanswered_chat_count, service.chat_count),
        ('chats_closed', service.closed_chat_count, service.closed_chat_count),
        (
            'first_contact_resolution_rate', service.first_contact_resolution_rate,
            service.first_contact_judged_count
        ),
        ('chats_reopened', service.reopened_count, service.reopened_count),
        ('agent_transfers', service.agent_transfer_count, service.agent_transfer_count),
        ('department_transfers', service.department_transfer_count, service.department_transfer_count),
        (
            'survey_response_rate', service.survey_response_rate,
            service.survey_offered_count - service.survey_answering_count
        ),
        ('bot_chats', service.bot_chat_count, service.chat_count),
        ('bot_containment_rate', service.bot_containment_rate, service.bot_chat_count - service.bot_with_bot_count),
        ('broadcasts_answered', service.broadcast_answered_count, service.broadcast_count)
    ) as kpi (metric, value, count)

    union all

    select
        times.period,
        times.period_start,
        times.scope,
        times.scope_id,
        times.direction,
        times.metric || case times.clock when 'business' then '_business' else '' end || kpi.statistic,
        kpi.value,
        times.count
    from {{ ref('response_times_by_direction') }} as times
    cross join lateral (
        values ('_mean', times.mean_seconds), ('_p50', times.p50_seconds), ('_p90', times.p90_seconds)
    ) as kpi (statistic, value)

    union all

    select
        period,
        period_start,
        scope,
        scope_id,
        direction,
        'sla_' || metric || case clock when 'business' then '_business' else '' end || '_rate',
        rate,
        judged_count
    from {{ ref('sla_by_direction') }}
)

select
    kpis.period,
    kpis.period_start,
    kpis.scope,
    kpis.scope_id,
    kpis.direction,
    kpis.metric,
    metrics.label_es as metric_label_es,
    metrics.label_en as metric_label_en,
    metrics.unit,
    metrics.better,
    kpis.value,
    kpis.count
from kpis
inner join {{ ref('kpi_metrics') }} as metrics on metrics.metric = kpis.metric
