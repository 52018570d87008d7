{{ config(
    materialized='incremental',
    unique_key='local_date',
    indexes=[
        {'columns': ['scope', 'scope_id', 'state', 'local_date'], 'unique': true},
        {'columns': ['local_date']},
    ],
    pre_hook="{{ forget_changed_backlog('local_date', date_of('affected.changed_from')) }}",
) }}

{%- set ages = {
    'under_1h': ['0 hours', '1 hour'],
    'from_1h_to_4h': ['1 hour', '4 hours'],
    'from_4h_to_1d': ['4 hours', '24 hours'],
    'from_1d_to_3d': ['24 hours', '72 hours'],
    'from_3d_to_7d': ['72 hours', '168 hours'],
    'over_7d': ['168 hours', none],
} %}
{%- set flows = ['opened', 'closed', 'became_stale', 'returned'] %}
{%- set columns = 'state, is_opening, is_closing, agent_id, department_id, channel' %}

-- As int_backlog_hours, by days. A chat enters an age and leaves it: at most six pairs of events a state in all its life,
-- and none after a week.
with bounds as (
    select
        {{ first_uncounted('local_date', date_of) }} as first_date,
        {{ date_of('as_of') }} as last_date,
        as_of
    from {{ ref('int_as_of') }}
),

window_start as (
    select first_date::timestamp at time zone '{{ account_timezone() }}' as starts_at from bounds
),

-- An age's midnights: from the first one at which a chat that came before it has it.
ages as (
    select
        intervals.state,
        intervals.agent_id,
        intervals.department_id,
        intervals.channel,
        age.name as age,
        greatest(
            {{ date_of('intervals.entered_at') }} + 1,
            {{ first_midnight_at_or_after('(intervals.entered_at + age.starts_after)') }}
        ) as from_date,
        least(
            {{ first_midnight_at_or_after('(intervals.entered_at + age.ends_after)') }}, {{ date_of('intervals.left_at') }} + 1
        ) as until_date
    from {{ ref('int_backlog_intervals') }} as intervals
    cross join (
        values
        {%- for name, limits in ages.items() %}
        (
            '{{ name }}',
            interval '{{ limits[0] }}',
            {{ "interval '" ~ limits[1] ~ "'" if limits[1] else 'null::interval' }}
        ){{ ',' if not loop.last }}
        {%- endfor %}
    ) as age (name, starts_after, ends_after)
    where (
        intervals.entered_at >= (select starts_at - interval '9 days' from window_start)
        and intervals.entered_at <= (select as_of from bounds)
    ) or (
        intervals.left_at >= (select starts_at - interval '1 day' from window_start)
        and intervals.left_at <= (select as_of from bounds)
    )
),

events as (
    select
        {{ date_of('entered_at') }} as local_date,
        1 as change,
        {{ columns }}
    from {{ ref('int_backlog_intervals') }}
    where entered_at >= (select starts_at from window_start) and entered_at <= (select as_of from bounds)

    union all

    select
        {{ date_of('left_at') }} as local_date,
        -1 as change,
        {{ columns }}
    from {{ ref('int_backlog_intervals') }}
    where left_at >= (select starts_at from window_start) and left_at <= (select as_of from bounds)
),

-- What is otherwise at a midnight than at the one before, what comes and goes in a day, and the balance of the first
-- midnight, which stays.
changes as (
    select
        midnight.local_date,
        scopes.scope,
        scopes.scope_id,
        ages.state,
        {% for age in ages -%}
        case when ages.age = '{{ age }}' then midnight.change else 0 end as {{ age }}_change,
        {% endfor -%}
        0 as day_change,
        {% for flow in flows -%}
        0 as {{ flow }}_count{{ ',' if not loop.last }}
        {% endfor %}
    from ages
    cross join lateral (values (ages.from_date, 1), (ages.until_date, -1)) as midnight (local_date, change)
    cross join {{ backlog_scopes('ages') }}
    where (ages.from_date < ages.until_date or ages.until_date is null)
        and midnight.local_date > (select first_date from bounds)
        and midnight.local_date <= (select last_date from bounds)
        and scopes.scope_id is not null

    union all

    select
        events.local_date,
        scopes.scope,
        scopes.scope_id,
        told_of.state,
        {% for age in ages -%}
        0,
        {% endfor -%}
        told_of.day_change,
        (events.change = 1 and events.is_opening)::integer,
        (events.change = -1 and events.is_closing)::integer,
        (events.change = 1 and events.state = 'stale')::integer,
        (events.change = -1 and events.state = 'stale')::integer
    from events
    cross join {{ backlog_scopes('events') }}
    -- Who becomes stale leaves those in work, and comes back to them.
    cross join lateral (
        select
            events.state,
            events.change as day_change

        union all

        select
            'open' as state,
            0 as day_change
        where events.state = 'stale'
    ) as told_of
    where scopes.scope_id is not null

    union all

    select
        bounds.first_date,
        'all',
        'all',
        states.state,
        {% for age in ages -%}
        0,
        {% endfor -%}
        0,
        {% for flow in flows -%}
        0{{ ',' if not loop.last }}
        {% endfor %}
    from bounds
    cross join (values ('open'), ('waiting_for_pickup'), ('waiting_for_answer'), ('stale')) as states (state)
    where bounds.first_date is not null

    {%- if is_incremental() %}

    union all

    select
        stored.local_date,
        stored.scope,
        stored.scope_id,
        stored.state,
        {% for age in ages -%}
        stored.{{ age }}_count,
        {% endfor -%}
        0,
        {% for flow in flows -%}
        0{{ ',' if not loop.last }}
        {% endfor %}
    from bounds
    inner join {{ this }} as stored on stored.local_date = bounds.first_date
    {%- endif %}
),

changes_by_day as (
    select
        local_date,
        scope,
        scope_id,
        state,
        {% for age in ages -%}
        sum({{ age }}_change) as {{ age }}_change,
        {% endfor -%}
        sum(day_change) as day_change,
        {% for flow in flows -%}
        sum({{ flow }}_count) as {{ flow }}_count{{ ',' if not loop.last }}
        {% endfor %}
    from changes
    group by local_date, scope, scope_id, state
),

balances as (
    select
        local_date,
        lead(local_date) over so_far as next_date,
        scope,
        scope_id,
        state,
        {% for age in ages -%}
        sum({{ age }}_change) over so_far as {{ age }}_count,
        {% endfor -%}
        sum({% for age in ages %}{{ age }}_change{{ ' + ' if not loop.last }}{% endfor %}) over so_far as chat_count,
        day_change,
        {% for flow in flows -%}
        {{ flow }}_count{{ ',' if not loop.last }}
        {% endfor %}
    from changes_by_day
    window so_far as (partition by scope, scope_id, state order by local_date)
)

-- A balance holds until the next change. Only for all chats is one of 0 kept.
select
    shown.local_date::date as local_date,
    balances.scope,
    balances.scope_id,
    balances.state,
    balances.chat_count::integer as chat_count,
    (balances.chat_count + case when is_own.day then balances.day_change else 0 end)::integer as end_chat_count,
    {% for flow in flows -%}
    case when is_own.day then balances.{{ flow }}_count else 0 end::integer as {{ flow }}_count,
    {% endfor -%}
    {% for age in ages -%}
    balances.{{ age }}_count::integer as {{ age }}_count{{ ',' if not loop.last }}
    {% endfor %}
from balances
cross join bounds
cross join lateral generate_series(
    balances.local_date::timestamp,
    case
        when balances.chat_count > 0 or balances.scope = 'all' then coalesce(balances.next_date - 1, bounds.last_date)
        else balances.local_date
    end::timestamp,
    interval '1 day'
) as shown (local_date)
cross join lateral (select shown.local_date::date = balances.local_date as day) as is_own
where balances.scope = 'all'
    or balances.chat_count > 0
    or balances.chat_count + balances.day_change > 0
    or {% for flow in flows %}balances.{{ flow }}_count{{ ' + ' if not loop.last }}{% endfor %} > 0
