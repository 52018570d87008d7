-- A view: it turns small daily tables on their side and works nothing out itself. No CTE is read twice and each day is
-- joined to the one before it row by row, so that a reader of one day reads two days, not all.
{%- set volume = [
    ('chats_created', 'chat_count', none),
    ('chats_closed', 'closed_chat_count', none),
    ('chats_reopened', 'reopened_count', none),
    ('messages_in', 'incoming_message_count', none),
    ('messages_out', 'outgoing_message_count', none),
] %}
{%- set transfers = [
    ('agent_transfers', 'agent_transfer_count', none),
    ('department_transfers', 'department_transfer_count', none),
] %}
{%- set of_agents = [
    ('transfers_in', 'transfer_in_count', none),
    ('transfers_out', 'transfer_out_count', none),
    ('chats_picked_up', 'picked_up_chat_count', none),
    ('concurrent_chats_mean', 'mean_concurrent_chats', 'days.picked_up_chat_count'),
    ('concurrent_chats_peak', 'peak_concurrent_chats', 'days.picked_up_chat_count'),
] %}
{%- set surveys = [
    ('surveys_offered', 'offered_count', none),
    ('survey_response_rate', 'response_rate', 'days.offered_count - days.answering_count'),
] %}
{%- set bots = [
    ('bot_chats', 'bot_chat_count', none),
    ('bot_containment_rate', 'containment_rate', 'days.bot_chat_count - days.with_bot_count'),
] %}
{%- set broadcasts = [
    ('broadcasts_sent', 'sent_count', none),
    ('broadcast_answer_rate', 'answer_rate', 'days.sent_count'),
] %}
{%- set any_scope = ['scope', 'scope_id'] %}

select
    kpis.date,
    kpis.scope,
    kpis.scope_id,
    kpis.scope_name,
    kpis.metric,
    metrics.label_es as metric_label_es,
    metrics.label_en as metric_label_en,
    metrics.unit,
    metrics.better,
    kpis.value,
    kpis.count,
    kpis.previous_value,
    {{ percent_change('kpis.value', 'kpis.previous_value') }} as change_pct
from (
    {{ unpivoted('account_daily', "'all'", "'all'", "'all'", [], volume + transfers) }}

    union all

    {{ unpivoted('agent_daily', "'agent'", 'days.agent_id', 'days.agent_name', ['agent_id'], volume + of_agents) }}

    union all

    {{ unpivoted(
        'department_daily', "'department'", 'days.department_id', 'days.department_name', ['department_id'],
        volume + transfers
    ) }}

    union all

    {{ unpivoted('channel_daily', "'provider'", 'days.provider', 'days.provider', ['provider'], volume + transfers) }}

    union all

    {{ unpivoted('survey_daily', 'days.scope', 'days.scope_id', 'days.scope_name', any_scope, surveys) }}

    union all

    {{ unpivoted('bot_daily', 'days.scope', 'days.scope_id', 'days.scope_name', any_scope, bots) }}

    union all

    {{ unpivoted('broadcast_daily', 'days.scope', 'days.scope_id', 'days.scope_name', any_scope, broadcasts) }}

    union all

    select
        local_date,
        scope,
        scope_id,
        scope_name,
        case state when 'open' then 'backlog_open' else 'backlog_' || state end,
        chat_count::double precision,
        chat_count::bigint,
        previous_chat_count::double precision
    from {{ ref('backlog_daily') }}

    union all

    select
        date,
        scope,
        scope_id,
        scope_name,
        'sla_' || metric || case clock when 'business' then '_business' else '' end || '_rate',
        rate,
        (met_count + breached_count)::bigint,
        previous_rate
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
        kpi.previous_value
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
