{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    unique_key='local_date',
    on_schema_change='append_new_columns',
    indexes=[
        {'columns': ['scope', 'scope_id', 'state', 'local_date'], 'unique': true},
        {'columns': ['local_date']},
    ],
    pre_hook="{{ forget_changed_backlog('local_date', first_midnight_at_or_after('touched.changed_from')) }}",
) }}

{%- set ages = {
    'under_1h': ['0 hours', '1 hour'],
    'from_1h_to_4h': ['1 hour', '4 hours'],
    'from_4h_to_1d': ['4 hours', '24 hours'],
    'from_1d_to_3d': ['24 hours', '72 hours'],
    'from_3d_to_7d': ['72 hours', '168 hours'],
    'over_7d': ['168 hours', none],
} %}

-- As int_backlog_hours, by midnights. A chat enters an age and leaves it: at most six pairs of events in all its life.
with bounds as (
    select
        {%- if is_incremental() %}
        case
            when exists (select from {{ this }}) then least(
                (
                    select min({{ first_midnight_at_or_after('touched.changed_from') }})
                    from {{ ref('int_backlog_spells') }} as touched
                    where {{ load_window('touched') }}
                ),
                (select max(local_date) + 1 from {{ this }})
            )
            else (select min({{ first_midnight_at_or_after('entered_at') }}) from {{ ref('int_backlog_spells') }})
        end as first_date,
        {%- else %}
        (select min({{ first_midnight_at_or_after('entered_at') }}) from {{ ref('int_backlog_spells') }}) as first_date,
        {%- endif %}
        {{ local_time('as_of') }}::date as last_date
    from {{ ref('int_as_of') }}
),

aged as (
    select
        spells.state,
        spells.agent_id,
        spells.department_id,
        spells.provider,
        age.name as age,
        {{ first_midnight_at_or_after('(spells.entered_at + age.starts_after)') }} as from_date,
        coalesce(
            {{ first_midnight_at_or_after('least(spells.entered_at + age.ends_after, spells.left_at)') }}, 'infinity'
        ) as until_date
    from {{ ref('int_backlog_spells') }} as spells
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
    where (select first_date <= last_date from bounds)
        and spells.until_hour >= (
            select (first_date - 1)::timestamp at time zone '{{ account_timezone() }}' from bounds
        )
        and (spells.left_at > spells.entered_at + age.starts_after or spells.left_at is null)
),

-- What changes at a midnight: chats that come and go, and the balance of the midnight before the first.
changes as (
    select
        event.local_date,
        scopes.scope,
        scopes.scope_id,
        aged.state,
        event.change,
        {% for age in ages -%}
        case when aged.age = '{{ age }}' then event.change else 0 end as {{ age }}_change{{ ',' if not loop.last }}
        {% endfor %}
    from aged
    cross join lateral (values (aged.from_date, 1), (aged.until_date, -1)) as event (local_date, change)
    cross join {{ backlog_scopes('aged') }}
    where aged.from_date < aged.until_date
        and event.local_date >= (select first_date from bounds)
        and event.local_date <= (select last_date from bounds)
        and scopes.scope_id is not null

    {%- if is_incremental() %}

    union all

    select
        stored.local_date,
        stored.scope,
        stored.scope_id,
        stored.state,
        stored.chat_count,
        {% for age in ages -%}
        stored.{{ age }}_count{{ ',' if not loop.last }}
        {% endfor %}
    from bounds
    inner join {{ this }} as stored on stored.local_date = bounds.first_date - 1
    {%- endif %}
),

changes_by_day as (
    select
        local_date,
        scope,
        scope_id,
        state,
        sum(change) as change,
        {% for age in ages -%}
        sum({{ age }}_change) as {{ age }}_change{{ ',' if not loop.last }}
        {% endfor %}
    from changes
    group by local_date, scope, scope_id, state
),

running as (
    select
        local_date,
        lead(local_date) over so_far as next_date,
        scope,
        scope_id,
        state,
        {% for age in ages -%}
        sum({{ age }}_change) over so_far as {{ age }}_count,
        {% endfor -%}
        sum(change) over so_far as chat_count
    from changes_by_day
    window so_far as (partition by scope, scope_id, state order by local_date)
),

balances as (
    select
        *,
        lag(chat_count) over (partition by scope, scope_id, state order by local_date) > 0 as had_chats
    from running
)

-- A balance holds until the next change. Only for all chats is one of 0 kept, and where a scope comes down to it.
select
    shown.local_date::date as local_date,
    balances.scope,
    balances.scope_id,
    balances.state,
    balances.chat_count::integer as chat_count,
    {% for age in ages -%}
    balances.{{ age }}_count::integer as {{ age }}_count{{ ',' if not loop.last }}
    {% endfor %}
from balances
cross join bounds
cross join lateral generate_series(
    balances.local_date::timestamp,
    case
        when balances.chat_count > 0 or balances.scope = 'all'
            then coalesce(balances.next_date - 1, bounds.last_date)
        else balances.local_date
    end::timestamp,
    interval '1 day'
) as shown (local_date)
where shown.local_date >= bounds.first_date
    and (balances.scope = 'all' or balances.chat_count > 0 or balances.had_chats)
