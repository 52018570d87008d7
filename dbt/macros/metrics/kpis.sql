{#
  Where the KPIs come from that are columns of daily marts: the mart, whose number it is, and its metrics, for kpi_daily as for
  the weeks and months.
  metrics: (name, column, none) for a plain count, which is summed over days; (name, column, SQL of what the value rests on, how
  the values of days make one), where how is `max`, or SQL of the weight of a day: the denominator of a share or a mean.
#}
{% macro kpi_sources() -%}
    {%- set volume = [
        ('chats_created', 'chat_count', none),
        ('chats_closed', 'closed_chat_count', none),
        ('chats_reopened', 'reopened_count', none),
        ('messages_in', 'incoming_message_count', none),
        ('messages_out', 'outgoing_message_count', none),
    ] -%}
    {%- set transfers = [
        ('agent_transfers', 'agent_transfer_count', none),
        ('department_transfers', 'department_transfer_count', none),
    ] -%}
    {%- set of_agents = [
        ('transfers_in', 'transfer_in_count', none),
        ('transfers_out', 'transfer_out_count', none),
        ('chats_picked_up', 'picked_up_chat_count', none),
        ('concurrent_chats_mean', 'mean_concurrent_chats', 'days.active_chat_count', 'days.active_seconds'),
        ('concurrent_chats_peak', 'peak_concurrent_chats', 'days.active_chat_count', 'max'),
    ] -%}
    {%- set asked = 'days.offered_count - days.answering_count' -%}
    {%- set ended = 'days.bot_chat_count - days.with_bot_count' -%}
    {%- set surveys = [
        ('surveys_offered', 'offered_count', none),
        ('survey_response_rate', 'response_rate', asked, asked),
    ] -%}
    {%- set bots = [
        ('bot_chats', 'bot_chat_count', none),
        ('bot_containment_rate', 'containment_rate', ended, ended),
    ] -%}
    {%- set broadcasts = [
        ('broadcasts_sent', 'sent_count', none),
        ('broadcast_answer_rate', 'answer_rate', 'days.sent_count', 'days.sent_count'),
    ] -%}
    {%- set any_scope = ['days.scope', 'days.scope_id', 'days.scope_name', ['scope', 'scope_id']] -%}
    {{ return([
        ['account_daily', "'all'", "'all'", "'all'", [], volume + transfers],
        ['agent_daily', "'agent'", 'days.agent_id', 'days.agent_name', ['agent_id'], volume + of_agents],
        [
            'department_daily', "'department'", 'days.department_id', 'days.department_name', ['department_id'],
            volume + transfers,
        ],
        ['channel_daily', "'channel'", 'days.channel', 'days.channel', ['channel'], volume + transfers],
        ['source_daily', "'source'", 'days.source', 'days.source', ['source'], volume + transfers],
        ['survey_daily'] + any_scope + [surveys],
        ['bot_daily'] + any_scope + [bots],
        ['broadcast_daily'] + any_scope + [broadcasts],
    ]) }}
{%- endmacro %}


{#
  The columns of a KPI beside the day, week or month before. `kpis` gives value, count, previous_value and is_count, `metrics` the
  seed. A plain count (is_count) that is missing is 0 in the change; anything else that is missing leaves no change.
#}
{% macro compared_kpi() -%}
    {%- set value = 'case when kpis.is_count then coalesce(kpis.value, 0) when kpis.count > 0 then kpis.value end' -%}
    {%- set previous_value = 'case when kpis.is_count then coalesce(kpis.previous_value, 0) else kpis.previous_value end' -%}
    kpis.scope,
    kpis.scope_id,
    kpis.scope_name,
    kpis.metric,
    metrics.label_es as metric_label_es,
    metrics.label_en as metric_label_en,
    metrics.unit,
    metrics.better,
    case when kpis.count > 0 then kpis.value end as value,
    kpis.count,
    case when kpis.is_count then nullif(kpis.previous_value, 0) else kpis.previous_value end as previous_value,
    {{ value }} - {{ previous_value }} as value_delta,
    case when metrics.unit <> 'share' then {{ percent_change(value, previous_value) }} end as value_delta_pct
{%- endmacro %}


{#
  All KPIs of weeks or months, as kpi_weekly and kpi_monthly show them. Counts are sums of days; shares and means weigh each day
  by its denominator; what has percentiles, and the SLA, comes from the mart of the period itself.
#}
{% macro kpis_of_periods(period, suffix) -%}
select
    kpis.period_start,
    periods.day_count,
    periods.is_partial,
    {{ compared_kpi() }}
from (
    {%- for relation, scope, scope_id, scope_name, key, source_metrics in kpi_sources() %}
    {{ summed_kpis(period, relation, scope, scope_id, scope_name, source_metrics) }}

    union all
    {% endfor %}
    select
        periods.period_start,
        days.scope,
        days.scope_id,
        days.scope_name,
        'backlog_' || days.state,
        days.chat_count::double precision,
        days.chat_count::bigint,
        days_before.chat_count::double precision,
        true
    from {{ ref('int_rollup_periods') }} as periods
    inner join {{ ref('backlog_daily') }} as days on days.local_date = periods.period_start
    left join {{ ref('backlog_daily') }} as days_before
        on days_before.local_date = periods.previous_start
        and days_before.scope = days.scope
        and days_before.scope_id = days.scope_id
        and days_before.state = days.state
    where periods.period = '{{ period }}'

    union all

    {{ kpis_of_sla_and_times('sla_' ~ suffix, 'period_start', 'response_times_' ~ suffix) }}
) as kpis
inner join {{ ref('kpi_metrics') }} as metrics on metrics.metric = kpis.metric
inner join {{ ref('int_rollup_periods') }} as periods
    on periods.period = '{{ period }}' and periods.period_start = kpis.period_start
{%- endmacro %}


{# The rates of the SLA and the times of chats as KPIs; period_start: what the SLA's mart calls its day, week or month. #}
{% macro kpis_of_sla_and_times(sla, period_start, response_times) -%}
    select
        {{ period_start }},
        scope,
        scope_id,
        scope_name,
        'sla_' || metric || case clock when 'business' then '_business' else '' end || '_rate',
        rate,
        (met_count + breached_count)::bigint,
        previous_rate,
        false
    from {{ ref(sla) }}

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
    from {{ ref(response_times) }} as times
    cross join lateral (
        values
        ('_mean', times.mean_seconds, times.previous_mean_seconds),
        ('_p50', times.p50_seconds, times.previous_p50_seconds),
        ('_p90', times.p90_seconds, times.previous_p90_seconds)
    ) as kpi (statistic, value, previous_value)
    where times.metric in ('pickup', 'first_response', 'resolution', 'handling', 'reply')
{%- endmacro %}


{# The columns of a daily mart, each day's put together to weeks or months, beside the period before. #}
{% macro summed_kpis(period, relation, scope, scope_id, scope_name, metrics) %}
    select
        sums.period_start,
        sums.scope,
        sums.scope_id,
        sums.scope_name,
        kpi.*
    from (
        select
            periods.period_start,
            {{ scope }} as scope,
            {{ scope_id }} as scope_id,
            min({{ scope_name }}) as scope_name,
            bool_or(not periods.is_before) as is_of_period
            {%- for metric in metrics %}{% for part, days in [('', 'not periods.is_before'), ('_before', 'periods.is_before')] %},
            {{ kpi_over_days(metric, days) }} as {{ metric[0] }}{{ part }},
            coalesce(sum({{ metric[2] or 'days.' ~ metric[1] }}) filter (where {{ days }} and days.{{ metric[1] }} is not null), 0)
                as {{ metric[0] }}_count{{ part }}
            {%- endfor %}{% endfor %}
        from {{ ref('int_rollup_days') }} as periods
        inner join {{ ref(relation) }} as days on days.local_date = periods.local_date
        where periods.period = '{{ period }}'
        group by 1, 2, 3
    ) as sums
    cross join lateral (
        values
        {%- for metric in metrics %}
        (
            '{{ metric[0] }}', sums.{{ metric[0] }}::double precision, sums.{{ metric[0] }}_count::bigint,
            case when sums.{{ metric[0] }}_count_before > 0 then sums.{{ metric[0] }}_before end::double precision,
            {{ not metric[2] }}
        ){{ ',' if not loop.last }}
        {%- endfor %}
    ) as kpi (metric, value, count, previous_value, is_count)
    where sums.is_of_period
{%- endmacro %}


{# SQL: the values of the named days as one. #}
{% macro kpi_over_days(metric, days) -%}
    {%- set value = 'days.' ~ metric[1] -%}
    {%- if not metric[2] -%}
    sum({{ value }}) filter (where {{ days }})
    {%- elif metric[3] == 'max' -%}
    max({{ value }}) filter (where {{ days }})
    {%- else -%}
    sum({{ value }} * ({{ metric[3] }})) filter (where {{ days }})
            / nullif(sum({{ metric[3] }}) filter (where {{ days }} and {{ value }} is not null), 0)
    {%- endif -%}
{%- endmacro %}
