{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    unique_key='hour_at',
    on_schema_change='append_new_columns',
    indexes=[
        {'columns': ['scope', 'scope_id', 'hour_at'], 'unique': true},
        {'columns': ['hour_at']},
    ],
    pre_hook="{{ forget_changed_backlog('hour_at', first_hour_at_or_after('touched.changed_from')) }}",
) }}

-- From the first hour that the new loads touched: the balance of the hour before it is stored, and what came and went
-- since is added to it. A chat costs two events, not a row for each hour that it is open.
with bounds as (
    select
        {%- if is_incremental() %}
        case
            when exists (select from {{ this }}) then least(
                (
                    select min({{ first_hour_at_or_after('touched.changed_from') }})
                    from {{ ref('int_backlog_spells') }} as touched
                    where {{ load_window('touched') }}
                ),
                (select max(hour_at) + interval '1 hour' from {{ this }})
            )
            else (select min(from_hour) from {{ ref('int_backlog_spells') }})
        end as first_hour,
        {%- else %}
        (select min(from_hour) from {{ ref('int_backlog_spells') }}) as first_hour,
        {%- endif %}
        date_trunc('hour', as_of, '{{ account_timezone() }}') as last_hour
    from {{ ref('int_as_of') }}
),

-- What changes at an hour: chats that come and go, and the balance of the hour before the first.
changes as (
    select
        event.hour_at,
        scopes.scope,
        scopes.scope_id,
        case when spells.state = 'open' then event.change else 0 end as open_change,
        case when spells.state = 'waiting_for_pickup' then event.change else 0 end as waiting_for_pickup_change,
        case when spells.state = 'waiting_for_answer' then event.change else 0 end as waiting_for_answer_change,
        case when spells.state = 'open' and event.change = 1 then 1 else 0 end as opened_count,
        case when spells.state = 'open' and event.change = -1 then 1 else 0 end as closed_count
    from {{ ref('int_backlog_spells') }} as spells
    cross join lateral (values (spells.from_hour, 1), (spells.until_hour, -1)) as event (hour_at, change)
    cross join {{ backlog_scopes('spells') }}
    where (select first_hour <= last_hour from bounds)
        and spells.until_hour >= (select first_hour from bounds)
        and event.hour_at >= (select first_hour from bounds)
        and event.hour_at <= (select last_hour from bounds)
        and scopes.scope_id is not null

    {%- if is_incremental() %}

    union all

    select
        stored.hour_at,
        stored.scope,
        stored.scope_id,
        stored.open_count,
        stored.waiting_for_pickup_count,
        stored.waiting_for_answer_count,
        0,
        0
    from bounds
    inner join {{ this }} as stored on stored.hour_at = bounds.first_hour - interval '1 hour'
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
        sum(closed_count) as closed_count
    from changes
    group by hour_at, scope, scope_id
),

balances as (
    select
        hour_at,
        lead(hour_at) over so_far as next_hour,
        scope,
        scope_id,
        sum(open_change) over so_far as open_count,
        sum(waiting_for_pickup_change) over so_far as waiting_for_pickup_count,
        sum(waiting_for_answer_change) over so_far as waiting_for_answer_count,
        opened_count,
        closed_count
    from changes_by_hour
    window so_far as (partition by scope, scope_id order by hour_at)
)

-- A balance holds until the next change. Only for all chats is one of 0 kept: accounts have many agents, and long nights.
select
    shown.hour_at,
    {{ local_time('shown.hour_at') }}::date as local_date,
    extract(hour from {{ local_time('shown.hour_at') }})::integer as hour,
    balances.scope,
    balances.scope_id,
    balances.open_count::integer as open_count,
    balances.waiting_for_pickup_count::integer as waiting_for_pickup_count,
    balances.waiting_for_answer_count::integer as waiting_for_answer_count,
    case when shown.hour_at = balances.hour_at then balances.opened_count else 0 end::integer as opened_count,
    case when shown.hour_at = balances.hour_at then balances.closed_count else 0 end::integer as closed_count
from balances
cross join bounds
cross join lateral generate_series(
    balances.hour_at,
    case
        when balances.open_count > 0 or balances.scope = 'all'
            then coalesce(balances.next_hour - interval '1 hour', bounds.last_hour)
        else balances.hour_at
    end,
    interval '1 hour'
) as shown (hour_at)
where shown.hour_at >= bounds.first_hour
    and (
        balances.scope = 'all'
        or balances.open_count > 0
        or (shown.hour_at = balances.hour_at and balances.opened_count + balances.closed_count > 0)
    )
