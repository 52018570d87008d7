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
        ('{{ name }}', interval '{{ limits[0] }}', {{ "'" ~ limits[1] ~ "'" if limits[1] else 'null' }}::interval){{ ',' if not loop.last }}
        {%- endfor %}
    ) as age (name, starts_after, ends_after)
    where intervals.entered_at
        between (select starts_at - interval '9 days' from window_start) and (select as_of from bounds)
        or intervals.left_at
        between (select starts_at - interval '1 day' from window_start) and (select as_of from bounds)
),

events as (
    {{- backlog_events('(select starts_at from window_start)', '(select as_of from bounds)') }}
),

-- What is otherwise at a midnight than at the one before, by age; what comes and goes in a day; and the balance of the
-- first midnight, which stays.
changes as (
    select
        midnight.local_date,
        scopes.scope,
        scopes.scope_id,
        ages.state,
        ages.age as measure,
        midnight.change
    from ages
    cross join lateral (values (ages.from_date, 1), (ages.until_date, -1)) as midnight (local_date, change)
    cross join lateral ({{ scopes('ages') }}) as scopes (scope, scope_id)
    where (ages.from_date < ages.until_date or ages.until_date is null)
        and midnight.local_date > (select first_date from bounds)
        and midnight.local_date <= (select last_date from bounds)
        and scopes.scope_id is not null

    union all

    select
        {{ date_of('events.happened_at') }},
        scopes.scope,
        scopes.scope_id,
        told_of.state,
        counted.measure,
        counted.change
    from events
    cross join lateral ({{ scopes('events') }}) as scopes (scope, scope_id)
    -- Who becomes stale leaves those in work, and comes back to them.
    cross join lateral (
        values (events.state, events.change), (case when events.state = 'stale' then 'open' end, 0)
    ) as told_of (state, change)
    cross join lateral (
        values
        ('day', told_of.change),
        ('opened', events.is_opened::integer),
        ('closed', events.is_closed::integer),
        ('became_stale', events.is_becoming_stale::integer),
        ('returned', events.is_returning::integer)
    ) as counted (measure, change)
    where scopes.scope_id is not null
        and told_of.state is not null
        and (counted.measure = 'day' or counted.change <> 0)

    union all

    select bounds.first_date, 'all', 'all', states.state, 'day', 0
    from bounds
    cross join (values ('open'), ('waiting_for_pickup'), ('waiting_for_answer'), ('stale')) as states (state)
    where bounds.first_date is not null

    {%- if is_incremental() %}

    union all

    select stored.local_date, stored.scope, stored.scope_id, stored.state, counted.measure, counted.change
    from bounds
    inner join {{ this }} as stored on stored.local_date = bounds.first_date
    cross join lateral (
        values
        {%- for age in ages %}
        ('{{ age }}', stored.{{ age }}_count){{ ',' if not loop.last }}
        {%- endfor %}
    ) as counted (measure, change)
    {%- endif %}
),

changes_by_day as (
    select
        local_date,
        scope,
        scope_id,
        state,
        {% for age in ages -%}
        coalesce(sum(change) filter (where measure = '{{ age }}'), 0) as {{ age }}_change,
        {% endfor -%}
        coalesce(sum(change) filter (where measure = 'day'), 0) as day_change,
        {% for flow in flows -%}
        coalesce(sum(change) filter (where measure = '{{ flow }}'), 0) as {{ flow }}_count{{ ',' if not loop.last }}
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
