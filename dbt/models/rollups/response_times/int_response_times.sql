{{ config(
    materialized='incremental',
    unique_key='(period, period_start)',
    meta={'affected_by': 'int_affected_periods', 'affected_key': 'period, period_start'},
) }}

{#- What is timed per chat counts on the day the chat was created, what is timed per turn on the day of the reply. -#}
{%- set sources = [
    ('chat', 'chat_response_times', 'created_local_date', credited_agents('timed'),
        ['pickup', 'first_response', 'response', 'resolution', 'handling']),
    ('turn', 'reply_turns', 'replied_local_date', ['timed.agent_id'], ['reply', 'reply_from_last']),
] %}
{%- set clocks = {'wall': '_seconds', 'business': '_business_seconds'} %}

with {{ affected_days(ref('int_affected_periods')) }},

{%- for name, relation, local_date, agent_ids, metrics in sources %}

{{ name }}_figures as (
    select
        days.period,
        days.period_start,
        scopes.scope,
        scopes.scope_id
        {%- for metric in metrics %}{% for suffix in clocks.values() %}
        {%- set seconds = metric ~ suffix %},
        count(credited.{{ seconds }})::integer as count_{{ seconds }},
        sum(credited.{{ seconds }})::bigint as sum_{{ seconds }},
        percentile_cont(array[0.5, 0.9, 0.95, 0.99]) within group (order by credited.{{ seconds }}) as percentiles_{{ seconds }},
        min(credited.{{ seconds }}) as min_{{ seconds }},
        max(credited.{{ seconds }}) as max_{{ seconds }},
        count(*) filter (where credited.{{ seconds }} < 60)::integer as under_1m_{{ seconds }},
        count(*) filter (where credited.{{ seconds }} < 180)::integer as under_3m_{{ seconds }},
        count(*) filter (where credited.{{ seconds }} < 300)::integer as under_5m_{{ seconds }},
        count(*) filter (where credited.{{ seconds }} < 600)::integer as under_10m_{{ seconds }}
        {%- endfor %}{% endfor %}
    from days
    inner join {{ ref(relation) }} as timed on timed.{{ local_date }} = days.local_date
    cross join lateral (
        {{ scopes('timed', agent_ids, by_direction=true) }}
    ) as scopes (scope, scope_id)
    cross join lateral (
        select
            {%- for metric in metrics %}{% set last_metric = loop.last %}
            {%- set credited = "scopes.scope <> 'agent' or scopes.scope_id = " ~ credited_agent(metric, 'timed') %}
            {%- for suffix in clocks.values() %}
            case when {{ credited }} then timed.{{ metric }}{{ suffix }} end as {{ metric }}{{ suffix }}
            {{- ',' if not (last_metric and loop.last) }}
            {%- endfor %}{% endfor %}
    ) as credited
    where not timed.is_deleted and scopes.scope_id is not null
    -- In the order in which rows differ soonest: that is half of the sort.
    group by days.period_start, scopes.scope_id, days.period, scopes.scope
){{ ',' if not loop.last }}
{%- endfor %}
{% for name, relation, local_date, agent_ids, metrics in sources %}
select
    period,
    period_start,
    scope,
    scope_id,
    metrics.metric,
    metrics.clock,
    metrics.count,
    metrics.sum_seconds,
    metrics.percentiles[1] as p50_seconds,
    metrics.percentiles[2] as p90_seconds,
    metrics.percentiles[3] as p95_seconds,
    metrics.percentiles[4] as p99_seconds,
    metrics.min_seconds,
    metrics.max_seconds,
    metrics.under_1m as under_1m_count,
    metrics.under_3m - metrics.under_1m as from_1m_to_3m_count,
    metrics.under_5m - metrics.under_3m as from_3m_to_5m_count,
    metrics.under_10m - metrics.under_5m as from_5m_to_10m_count,
    metrics.count - metrics.under_10m as over_10m_count
from {{ name }}_figures
cross join lateral (
    values
    {%- for metric in metrics %}{% set last_metric = loop.last %}{% for clock, suffix in clocks.items() %}
    {%- set seconds = metric ~ suffix %}
    (
        '{{ metric }}', '{{ clock }}', count_{{ seconds }}, sum_{{ seconds }}, percentiles_{{ seconds }},
        min_{{ seconds }}, max_{{ seconds }},
        under_1m_{{ seconds }}, under_3m_{{ seconds }}, under_5m_{{ seconds }}, under_10m_{{ seconds }}
    ){{ ',' if not (last_metric and loop.last) }}
    {%- endfor %}{% endfor %}
) as metrics (
    metric, clock, count, sum_seconds, percentiles, min_seconds, max_seconds, under_1m, under_3m, under_5m, under_10m
)
where metrics.count > 0
{% if not loop.last %}
union all
{% endif %}
{%- endfor %}
