{{ config(
    materialized='incremental',
    unique_key='hour_at',
    indexes=[
        {'columns': ['scope', 'scope_id', 'hour_at'], 'unique': true},
        {'columns': ['hour_at']},
    ],
    pre_hook="{{ forget_changed_backlog('hour_at', hour_of('affected.changed_from')) }}",
) }}

-- From the first hour that the new loads affected: the balance at its start is stored, and what came and went since is
-- added to it. A chat costs two events a state, not a row for each hour that it is open, and one that nothing happens to
-- is not read.
with bounds as (
    select
        {{ first_uncounted('hour_at', hour_of) }} as first_hour,
        {{ hour_of('as_of') }} as last_hour,
        as_of
    from {{ ref('int_as_of') }}
),

events as (
    {{- backlog_events('(select first_hour from bounds)', '(select as_of from bounds)') }}
),

-- What changes in an hour, and the balance at the start of the first one, as of the hour before it.
changes as (
    select
        {{ hour_of('events.happened_at') }} as hour_at,
        scopes.scope,
        scopes.scope_id,
        case when events.state = 'open' then events.change else 0 end as open_change,
        case when events.state = 'waiting_for_pickup' then events.change else 0 end as waiting_for_pickup_change,
        case when events.state = 'waiting_for_answer' then events.change else 0 end as waiting_for_answer_change,
        events.is_opened::integer as opened_count,
        events.is_closed::integer as closed_count,
        events.is_becoming_stale::integer as became_stale_count,
        events.is_returning::integer as returned_count
    from events
    cross join lateral ({{ scopes('events') }}) as scopes (scope, scope_id)
    where scopes.scope_id is not null

    {%- if is_incremental() %}

    union all

    select
        stored.hour_at - interval '1 hour' as hour_at,
        stored.scope,
        stored.scope_id,
        stored.open_count,
        stored.waiting_for_pickup_count,
        stored.waiting_for_answer_count,
        0,
        0,
        0,
        0
    from bounds
    inner join {{ this }} as stored on stored.hour_at = bounds.first_hour
    {%- endif %}
),

changes_by_hour as (
    select
        hour_at,
        scope,
        scope_id,
        sum(open_change) as open_change,
        sum(waiting_for_pickup_change) as waiting_for_pickup_change,
        sum(waiting_for_answer_change) as waiting_for_answer_change,
        sum(opened_count) as opened_count,
        sum(closed_count) as closed_count,
        sum(became_stale_count) as became_stale_count,
        sum(returned_count) as returned_count
    from changes
    group by hour_at, scope, scope_id
),

balances as (
    select
        *,
        lead(hour_at) over so_far as next_hour,
        sum(open_change) over so_far as open_after,
        sum(waiting_for_pickup_change) over so_far as waiting_for_pickup_after,
        sum(waiting_for_answer_change) over so_far as waiting_for_answer_after
    from changes_by_hour
    window so_far as (partition by scope, scope_id order by hour_at)
)

-- What stands after an hour stands at the start of each hour up to and including the next in which anything changes. Only
-- for all chats is a balance of 0 kept: accounts have many agents, and long nights.
select
    shown.hour_at,
    {{ local_time('shown.hour_at') }}::date as local_date,
    extract(hour from {{ local_time('shown.hour_at') }})::integer as hour,
    balances.scope,
    balances.scope_id,
    {%- for state in ['open', 'waiting_for_pickup', 'waiting_for_answer'] %}
    (balances.{{ state }}_after - case when is_own.hour then balances.{{ state }}_change else 0 end)::integer as {{ state }}_count,
    {%- endfor %}
    {%- for event in ['opened', 'closed', 'became_stale', 'returned'] %}
    case when is_own.hour then balances.{{ event }}_count else 0 end::integer as {{ event }}_count{{ ',' if not loop.last }}
    {%- endfor %}
from balances
cross join bounds
cross join lateral generate_series(
    balances.hour_at,
    case
        when balances.open_after > 0 or balances.scope = 'all'
            then coalesce(balances.next_hour - interval '1 hour', bounds.last_hour)
        else balances.hour_at
    end,
    interval '1 hour'
) as shown (hour_at)
cross join lateral (select shown.hour_at = balances.hour_at as hour) as is_own
where shown.hour_at >= bounds.first_hour
    and (
        balances.scope = 'all'
        or balances.open_after > 0
        or balances.open_change < 0
        or balances.opened_count + balances.closed_count + balances.became_stale_count + balances.returned_count > 0
    )
