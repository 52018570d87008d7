{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    unique_key='hour_at',
    on_schema_change='append_new_columns',
    indexes=[
        {'columns': ['scope', 'scope_id', 'hour_at'], 'unique': true},
        {'columns': ['hour_at']},
    ],
    pre_hook="{{ forget_backlog_of_older_rules() }}",
) }}

-- From the first hour that the new loads touched: the balance of the hour before it is stored, and what came and went
-- since is added to it. A chat costs two events, not a row for each hour that it is open.
with spells as (
    select * from {{ ref('int_backlog_spells') }}
),

bounds as (
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
            else (select min(from_hour) from spells)
        end as first_hour,
        {%- else %}
        (select min(from_hour) from spells) as first_hour,
        {%- endif %}
        date_trunc('hour', as_of, '{{ account_timezone() }}') as last_hour
    from {{ ref('int_as_of') }}
),

-- What changes at an hour: chats that come and go, and at the first one the balance of the hour before it.
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
    from spells
    cross join lateral (values (spells.from_hour, 1), (spells.until_hour, -1)) as event (hour_at, change)
    cross join {{ backlog_scopes('spells') }}
    where spells.until_hour >= (select first_hour from bounds)
        and event.hour_at >= (select first_hour from bounds)
        and event.hour_at <= (select last_hour from bounds)
        and scopes.scope_id is not null

    {%- if is_incremental() %}

    union all

    select
        bounds.first_hour,
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

-- A scope is shown from its first chat on, in the hours without any change too.
hours as (
    select * from changes_by_hour

    union all

    select
        quiet.hour_at,
        starts.scope,
        starts.scope_id,
        0,
        0,
        0,
        0,
        0
    from (
        select scope, scope_id, min(hour_at) as starts_at from changes_by_hour
        group by scope, scope_id
    ) as starts
    cross join bounds
    cross join lateral generate_series(starts.starts_at, bounds.last_hour, interval '1 hour') as quiet (hour_at)
)

select
    hour_at,
    {{ local_time('hour_at') }}::date as local_date,
    extract(hour from {{ local_time('hour_at') }})::integer as hour,
    scope,
    scope_id,
    (sum(sum(open_change)) over so_far)::integer as open_count,
    (sum(sum(waiting_for_pickup_change)) over so_far)::integer as waiting_for_pickup_count,
    (sum(sum(waiting_for_answer_change)) over so_far)::integer as waiting_for_answer_count,
    sum(opened_count)::integer as opened_count,
    sum(closed_count)::integer as closed_count
from hours
group by scope, scope_id, hour_at
window so_far as (partition by scope, scope_id order by hour_at)
