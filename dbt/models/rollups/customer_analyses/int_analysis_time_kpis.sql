{%- set times = ['pickup', 'first_response', 'response', 'resolution', 'handling'] %}

-- Pick-up and first response are those of the agent who gave them, whoever has the chat now.
with credited as (
    select
        chats.analysis_id,
        chats.source,
        scopes.scope,
        scopes.scope_id
        {%- for time in times %},
        case when scopes.scope <> 'agent' or scopes.scope_id = {{ credited_agent(time, 'chats') }}
            then chats.{{ time }}_seconds end as {{ time }}_seconds
        {%- endfor %}
    from {{ ref('int_analysis_chats') }} as chats
    cross join lateral (
        values
        ('all', 'all'),
        {%- for agent_id in credited_agents('chats') %}
        ('agent', {{ agent_id }}),
        {%- endfor %}
        ('department', chats.department_id)
    ) as scopes (scope, scope_id)
    where chats.scope = 'all' and scopes.scope_id is not null
),

measured as (
    select
        analysis_id,
        scope,
        scope_id,
        coalesce(min(source) <> max(source), false) as is_mixed
        {%- for time in times %},
        count({{ time }}_seconds) as {{ time }}_count,
        avg({{ time }}_seconds)::double precision as {{ time }}_average,
        percentile_cont(array[0.5, 0.9, 0.95, 0.99]) within group (order by {{ time }}_seconds) as {{ time }}_percentiles
        {%- endfor %}
    from credited
    group by analysis_id, scope, scope_id
)

select
    measured.analysis_id,
    measured.scope,
    measured.scope_id,
    'RESPONSE_TIME' as metric_type,
    'performance' as category,
    times.metric || statistics.suffix as metric_name,
    case when not measured.is_mixed then 1000 * statistics.seconds end as numeric_value,
    'milliseconds' as unit,
    times.count
from measured
cross join lateral (
    values
    {%- for time in times %}
    ('{{ time }}', {{ time }}_count, {{ time }}_average, {{ time }}_percentiles){{ ',' if not loop.last }}
    {%- endfor %}
) as times (metric, count, average, percentiles)
cross join lateral (
    values
    ('_average', times.average),
    ('_p50', times.percentiles[1]),
    ('_p90', times.percentiles[2]),
    ('_p95', times.percentiles[3]),
    ('_p99', times.percentiles[4])
) as statistics (suffix, seconds)
