{{ config(
    materialized='incremental',
    unique_key='local_date',
    meta={'affected_by': 'int_affected_backlog_days'},
    indexes=[
        {'columns': ['scope', 'scope_id', 'hour_at'], 'unique': true},
        {'columns': ['local_date', 'scope', 'scope_id', 'hour_at']},
    ],
    pre_hook="{{ forget_last_day() }}",
) }}

-- depends_on: {{ ref('int_affected_backlog_days') }}

{%- set states = ['open', 'waiting_for_pickup', 'waiting_for_answer'] %}
{%- set flows = {
    'opened': "side.change = 1 and intervals.is_opening",
    'closed': "side.change = -1 and intervals.is_closing",
    'became_stale': "side.change = 1 and intervals.state = 'stale'",
    'returned': "side.change = -1 and intervals.state = 'stale'",
} %}

-- An interval is two events, one where the chat enters the state and one where it leaves, however long it is. What stands
-- between them has no row: backlog_hourly adds it up from the day's first hour. All chats alone have a row of each hour.
with bounds as (
    select
        as_of,
        {{ hour_of('as_of') }} as last_hour,
        (
            select {{ hour_of('min(intervals.entered_at)') }}
            from {{ ref('int_backlog_intervals') }} as intervals
            where intervals.superseded_by_load_id is null
        ) as first_hour
    from {{ ref('int_as_of') }}
),

{% if is_incremental() -%}
affected_days as (
    select distinct local_date from {{ ref('int_affected_backlog_days') }} as affected
    where {{ load_window('affected') }} and local_date <= (select {{ date_of('as_of') }} from bounds)
),

-- The days that have begun since the last one that is stored, and those before the first one that is.
dates as (
    select local_date from affected_days

    union distinct

    select day::date
    from bounds
    cross join lateral generate_series(
        coalesce((select max(local_date) + 1 from {{ this }}), {{ date_of('bounds.first_hour') }})::timestamp,
        {{ local_time('bounds.as_of') }},
        interval '1 day'
    ) as day

    union distinct

    select day::date
    from generate_series(
        (select min(local_date) from affected_days)::timestamp,
        (select min(local_date) - 1 from {{ this }})::timestamp,
        interval '1 day'
    ) as day
),
{%- else -%}
dates as (
    select day::date as local_date
    from bounds
    cross join lateral generate_series(
        {{ date_of('bounds.first_hour') }}::timestamp, {{ local_time('bounds.as_of') }}, interval '1 day'
    ) as day
),
{%- endif %}

days as (
    select
        local_date,
        local_date::timestamp at time zone '{{ account_timezone() }}' as starts_at,
        (local_date + 1)::timestamp at time zone '{{ account_timezone() }}' as ends_at
    from dates
),

events as (
    {%- for side, change in [('entered_at', 1), ('left_at', -1)] %}
    select
        {{ hour_of('intervals.' ~ side) }} as hour_at,
        intervals.state,
        {{ change }} as change,
        intervals.agent_id,
        intervals.department_id,
        intervals.channel,
        intervals.source,
        {%- for name, condition in flows.items() %}
        ({{ condition | replace('side.change', change) }})::integer as {{ name }}_count{{ ',' if not loop.last }}
        {%- endfor %}
    {%- if is_incremental() %}
    from days
    inner join {{ ref('int_backlog_intervals') }} as intervals
        on intervals.{{ side }} >= days.starts_at and intervals.{{ side }} < days.ends_at
    {%- else %}
    from {{ ref('int_backlog_intervals') }} as intervals
    {%- endif %}
    where intervals.{{ side }} <= (select as_of from bounds) and {{ counts_now('intervals') }}
    {%- if not loop.last %}

    union all
    {% endif %}
    {%- endfor %}
),

-- Counted before they are unpacked by scope: many chats of an agent come and go within an hour.
alike as (
    select
        hour_at,
        agent_id,
        department_id,
        channel,
        source,
        {%- for state in states %}
        coalesce(sum(change) filter (where state = '{{ state }}'), 0) as {{ state }}_change,
        {%- endfor %}
        {%- for name in flows %}
        sum({{ name }}_count) as {{ name }}_count{{ ',' if not loop.last }}
        {%- endfor %}
    from events
    group by hour_at, agent_id, department_id, channel, source
),

scoped as (
    select
        alike.hour_at,
        scopes.scope,
        scopes.scope_id
        {%- for state in states %},
        alike.{{ state }}_change
        {%- endfor %}
        {%- for name in flows %},
        alike.{{ name }}_count
        {%- endfor %}
    from alike
    cross join lateral ({{ scopes('alike') }}) as scopes (scope, scope_id)
    where scopes.scope_id is not null

    union all

    select hour_at, 'all', 'all'{{ ', 0' * (states | length + flows | length) }}
    from bounds
    cross join days
    cross join lateral generate_series(
        greatest(days.starts_at, bounds.first_hour),
        least(days.ends_at - interval '1 hour', bounds.last_hour),
        interval '1 hour'
    ) as hour_at
),

hours as (
    select
        {{ date_of('hour_at') }} as local_date,
        hour_at,
        scope,
        scope_id
        {%- for state in states %},
        sum({{ state }}_change) as {{ state }}_change
        {%- endfor %}
        {%- for name in flows %},
        sum({{ name }}_count) as {{ name }}_count
        {%- endfor %}
    from scoped
    group by hour_at, scope, scope_id
)

select
    local_date,
    hour_at,
    extract(hour from {{ local_time('hour_at') }})::integer as hour,
    scope,
    scope_id,
    {%- for state in states %}
    sum({{ state }}_change) over day::integer as {{ state }}_change_today,
    {%- endfor %}
    {%- for name in flows %}
    {{ name }}_count::integer as {{ name }}_count{{ ',' if not loop.last }}
    {%- endfor %}
from hours
window day as (partition by local_date, scope, scope_id order by hour_at)
