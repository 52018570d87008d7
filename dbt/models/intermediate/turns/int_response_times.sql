{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    unique_key='(period, period_start)',
    on_schema_change='append_new_columns',
    meta={'touched_by': 'int_touched_periods', 'touched_key': 'period, period_start'},
) }}

{#- What is timed per chat counts on the day the chat was created, what is timed per turn on the day of the reply. -#}
{%- set sources = [
    ('chat', 'chat_response_times', 'created_local_date', ['pickup', 'first_response', 'response', 'resolution', 'handling']),
    ('turn', 'reply_turns', 'replied_local_date', ['reply', 'reply_from_last']),
] %}
{%- set clocks = {'wall': '_seconds'} %}

with periods as (
    select distinct
        period,
        period_start
    from {{ ref('int_touched_periods') }} as touched
    where {{ load_window('touched') }}
),

-- Joined day by day, so that a period reads its own days by index, and all of them hash.
days as (
    select
        periods.period,
        periods.period_start,
        day.day::date as local_date
    from periods
    cross join lateral generate_series(
        periods.period_start::timestamp,
        periods.period_start + ('1 ' || periods.period)::interval - interval '1 day',
        interval '1 day'
    ) as day (day)
),

{%- for name, relation, local_date, metrics in sources %}

{{ name }}_values as (
    select
        days.period,
        days.period_start,
        scopes.scope,
        scopes.scope_id
        {%- for metric in metrics %}{% for suffix in clocks.values() %},
        timed.{{ metric ~ suffix }}
        {%- endfor %}{% endfor %}
    from days
    inner join {{ ref(relation) }} as timed on timed.{{ local_date }} = days.local_date
    cross join lateral (
        values
        ('all', 'all'),
        ('agent', timed.agent_id),
        ('department', timed.department_id),
        ('provider', timed.provider),
        ('direction', timed.direction)
    ) as scopes (scope, scope_id)
    where not timed.is_deleted and scopes.scope_id is not null
),

{{ name }}_figures as (
    select
        period,
        period_start,
        scope,
        scope_id
        {%- for metric in metrics %}{% for suffix in clocks.values() %}
        {%- set seconds = metric ~ suffix %},
        count({{ seconds }})::integer as count_{{ seconds }},
        sum({{ seconds }})::bigint as sum_{{ seconds }},
        percentile_cont(array[0.5, 0.9, 0.95, 0.99]) within group (order by {{ seconds }}) as percentiles_{{ seconds }},
        min({{ seconds }}) as min_{{ seconds }},
        max({{ seconds }}) as max_{{ seconds }},
        count(*) filter (where {{ seconds }} < 60)::integer as under_1m_{{ seconds }},
        count(*) filter (where {{ seconds }} >= 60 and {{ seconds }} < 180)::integer as from_1m_{{ seconds }},
        count(*) filter (where {{ seconds }} >= 180 and {{ seconds }} < 300)::integer as from_3m_{{ seconds }},
        count(*) filter (where {{ seconds }} >= 300 and {{ seconds }} < 600)::integer as from_5m_{{ seconds }},
        count(*) filter (where {{ seconds }} >= 600)::integer as from_10m_{{ seconds }}
        {%- endfor %}{% endfor %}
    from {{ name }}_values
    group by period, period_start, scope, scope_id
){{ ',' if not loop.last }}
{%- endfor %}
{% for name, relation, local_date, metrics in sources %}
select
    period,
    period_start,
    scope,
    scope_id,
    figures.*
from {{ name }}_figures
cross join lateral (
    values
    {%- for metric in metrics %}{% set last_metric = loop.last %}{% for clock, suffix in clocks.items() %}
    {%- set seconds = metric ~ suffix %}
    (
        '{{ metric }}', '{{ clock }}', count_{{ seconds }}, sum_{{ seconds }}, percentiles_{{ seconds }}[1],
        percentiles_{{ seconds }}[2], percentiles_{{ seconds }}[3], percentiles_{{ seconds }}[4], min_{{ seconds }},
        max_{{ seconds }}, under_1m_{{ seconds }}, from_1m_{{ seconds }}, from_3m_{{ seconds }}, from_5m_{{ seconds }},
        from_10m_{{ seconds }}
    ){{ ',' if not (last_metric and loop.last) }}
    {%- endfor %}{% endfor %}
) as figures (
    metric, clock, count, sum_seconds, p50_seconds, p90_seconds, p95_seconds, p99_seconds, min_seconds, max_seconds,
    under_1m_count, from_1m_to_3m_count, from_3m_to_5m_count, from_5m_to_10m_count, over_10m_count
)
where figures.count > 0
{% if not loop.last %}union all
{% endif %}
{%- endfor %}
