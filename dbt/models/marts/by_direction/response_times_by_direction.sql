-- A view over the chats of its periods: who reads one period of one scope pays for that.
{%- set metrics = ['pickup', 'first_response', 'resolution', 'handling'] %}
{%- set clocks = {'wall': '_seconds', 'business': '_business_seconds'} %}

with timed as (
    select
        periods.period,
        periods.period_start,
        scopes.scope,
        scopes.scope_id,
        chats.direction,
        times.metric,
        times.clock,
        times.seconds
    from {{ ref('int_periods') }} as periods
    inner join {{ ref('chat_response_times') }} as chats
        on chats.created_local_date between periods.period_start and periods.period_end
    cross join lateral (
        values
        {%- for metric in metrics %}{% set last_metric = loop.last %}{% for clock, suffix in clocks.items() %}
        (
            '{{ metric }}', '{{ clock }}', {{ credited_agent(metric, 'chats') }},
            chats.{{ metric }}{{ suffix }}::double precision
        ){{ ',' if not (last_metric and loop.last) }}
        {%- endfor %}{% endfor %}
    ) as times (metric, clock, agent_id, seconds)
    cross join lateral ({{ scopes('chats', ['times.agent_id']) }}) as scopes (scope, scope_id)
    where not chats.is_deleted and scopes.scope_id is not null and times.seconds is not null

    union all

    select
        periods.period,
        periods.period_start,
        scopes.scope,
        scopes.scope_id,
        turns.direction,
        'reply' as metric,
        times.clock,
        times.seconds
    from {{ ref('int_periods') }} as periods
    inner join {{ ref('reply_turns') }} as turns
        on turns.replied_local_date between periods.period_start and periods.period_end
    cross join lateral (
        values
        ('wall', turns.reply_seconds::double precision), ('business', turns.reply_business_seconds::double precision)
    ) as times (clock, seconds)
    cross join lateral ({{ scopes('turns') }}) as scopes (scope, scope_id)
    where not turns.is_deleted and scopes.scope_id is not null and times.seconds is not null
),

measured as (
    select
        period,
        period_start,
        scope,
        scope_id,
        direction,
        metric,
        clock,
        count(*)::integer as count,
        avg(seconds) as mean_seconds,
        percentile_cont(0.5) within group (order by seconds) as p50_seconds,
        percentile_cont(0.9) within group (order by seconds) as p90_seconds,
        percentile_cont(0.95) within group (order by seconds) as p95_seconds,
        percentile_cont(0.99) within group (order by seconds) as p99_seconds,
        count(*) filter (where seconds < 60)::integer as under_1m_count,
        count(*) filter (where seconds >= 60 and seconds < 180)::integer as from_1m_to_3m_count,
        count(*) filter (where seconds >= 180 and seconds < 300)::integer as from_3m_to_5m_count,
        count(*) filter (where seconds >= 300 and seconds < 600)::integer as from_5m_to_10m_count,
        count(*) filter (where seconds >= 600)::integer as over_10m_count
    from timed
    group by period, period_start, scope, scope_id, direction, metric, clock
)

select
    measured.period,
    measured.period_start,
    measured.scope,
    measured.scope_id,
    measured.direction,
    measured.metric,
    measured.clock,
    measured.count,
    {%- for statistic in ['mean', 'p50', 'p90', 'p95', 'p99'] %}
    {{ time_of_one_source('measured.' ~ statistic ~ '_seconds') }} as {{ statistic }}_seconds,
    {%- endfor %}
    measured.under_1m_count,
    measured.from_1m_to_3m_count,
    measured.from_3m_to_5m_count,
    measured.from_5m_to_10m_count,
    measured.over_10m_count
from measured
{{ join_mixed_members('measured') }}
