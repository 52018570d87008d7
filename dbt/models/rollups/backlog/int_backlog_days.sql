{%- set flows = ['opened', 'closed', 'became_stale', 'returned'] %}
{%- set is_empty -%}
    scope <> 'all' and chat_count + end_chat_count{% for flow in flows %} + {{ flow }}_count{% endfor %} = 0
{%- endset %}
{{ config(
    materialized='incremental',
    unique_key=['scope', 'scope_id', 'state', 'local_date'],
    meta={'indexed_where': {'counted_until': is_empty}},
    indexes=[
        {'columns': ['scope', 'scope_id', 'state', 'local_date'], 'unique': true},
        {'columns': ['local_date']},
        {'columns': ['counted_until']},
    ],
    pre_hook="{{ forget_all_days() }}",
    post_hook="delete from {{ this }} where " ~ is_empty,
) }}

{%- set ages = {
    'under_1h': ['0 hours', '1 hour'],
    'from_1h_to_4h': ['1 hour', '4 hours'],
    'from_4h_to_1d': ['4 hours', '24 hours'],
    'from_1d_to_3d': ['24 hours', '72 hours'],
    'from_3d_to_7d': ['72 hours', '168 hours'],
    'over_7d': ['168 hours', none],
} %}

-- What is stored plus what has changed since: an interval that is told anew adds its midnights, one that no longer holds takes
-- its own off, and a midnight at which they are the same is not written. A chat enters an age and leaves it: at most six
-- pairs of events a state in all its life, and none after a week.
with bounds as (
    select
        as_of,
        {{ date_of('as_of') }} as last_date,
        {% if is_incremental() -%}
        stored.counted_until,
        {{ date_of('stored.counted_until') }} as stored_until,
        (select min(local_date) from {{ this }}) as stored_from
    from {{ ref('int_as_of') }}
    left join {{ this }} as stored
        on stored.scope = 'all'
        and stored.state = 'open'
        and stored.local_date = (select max(local_date) from {{ this }})
        {%- else -%}
        null::timestamptz as counted_until,
        null::date as stored_until,
        null::date as stored_from
    from {{ ref('int_as_of') }}
        {%- endif %}
),

intervals as (
    select
        *,
        ({{ counts_now('intervals') }})::integer as now,
        {% if is_incremental() %}coalesce(({{ counted_before('intervals') }})::integer, 0){% else %}0{% endif %} as before
    from {{ ref('int_backlog_intervals') }} as intervals
    {%- if is_incremental() %}
    {%- set since = "(select stored_until::timestamp at time zone '" ~ account_timezone() ~ "' from bounds)" %}
    where {{ load_window('intervals') }}
        or {{ load_window('intervals', 'superseded_by_load_id') }}
        or intervals.entered_at >= {{ since }} - interval '9 days'
        or intervals.left_at >= {{ since }}
    {%- endif %}
),

moves as (
    {{- backlog_moves('intervals', 'bounds', ages) }}
),

-- Counted before they are unpacked by scope. Most of what a chat tells anew it told before.
alike as (
    select local_date, state, agent_id, department_id, channel, source, measure, sum(change) as change
    from moves
    where change <> 0
    group by local_date, state, agent_id, department_id, channel, source, measure
    having sum(change) <> 0
),

-- Besides what changed: all chats have a row of each day, and the new days begin with what the last stored one ends with.
changes as (
    select alike.local_date, scopes.scope, scopes.scope_id, alike.state, alike.measure, sum(alike.change) as change
    from alike
    cross join lateral ({{ scopes('alike') }}) as scopes (scope, scope_id)
    where scopes.scope_id is not null
    group by alike.local_date, scopes.scope, scopes.scope_id, alike.state, alike.measure
    having sum(alike.change) <> 0

    union all

    select day.local_date, 'all', 'all', states.state, 'day', 0
    from bounds
    cross join lateral (
        values
        ((select min(local_date) from alike where bounds.stored_from is null or local_date < bounds.stored_from)),
        (case when bounds.as_of > bounds.counted_until then bounds.last_date end)
    ) as day (local_date)
    cross join (values ('open'), ('waiting_for_pickup'), ('waiting_for_answer'), ('stale')) as states (state)
    where day.local_date is not null

    {%- if is_incremental() %}

    union all

    select bounds.stored_until + 1, stored.scope, stored.scope_id, stored.state, 'day', 0
    from bounds
    inner join {{ this }} as stored on stored.local_date = bounds.stored_until
    where bounds.last_date > bounds.stored_until
    {%- endif %}
),

changes_by_day as (
    select
        local_date,
        scope,
        scope_id,
        state,
        {%- for measure in ages.keys() | list + ['day'] + flows %}
        coalesce(sum(change) filter (where measure = '{{ measure }}'), 0) as {{ measure }}_change{{ ',' if not loop.last }}
        {%- endfor %}
    from changes
    group by local_date, scope, scope_id, state
),

balances as (
    select
        *,
        lead(local_date) over so_far as next_date
        {%- for age in ages %},
        sum({{ age }}_change) over so_far as {{ age }}_balance
        {%- endfor %}
    from changes_by_day
    window so_far as (partition by scope, scope_id, state order by local_date)
),

-- A balance holds until the next change, and is added to what is stored of the day, or of the last day that is.
days as (
    select
        shown.local_date::date as local_date,
        balances.scope,
        balances.scope_id,
        balances.state,
        {%- for age in ages %}
        balances.{{ age }}_balance{{ ' + coalesce(stored.' ~ age ~ '_count, 0)' if is_incremental() }} as {{ age }}_count,
        {%- endfor %}
        {%- for event in ['day'] + flows %}
        case when shown.local_date::date = balances.local_date then balances.{{ event }}_change else 0 end
        {%- if is_incremental() %}
        + case
            when stored.local_date = shown.local_date::date
                then {{ 'stored.end_chat_count - stored.chat_count' if event == 'day' else 'stored.' ~ event ~ '_count' }}
            else 0
        end
        {%- endif %} as {{ event }}_count,
        {%- endfor %}
        {{ 'coalesce(stored.local_date = shown.local_date::date, false)' if is_incremental() else 'false' }} as is_stored,
        bounds.as_of as counted_until
    from balances
    cross join bounds
    cross join lateral generate_series(
        balances.local_date::timestamp,
        case
            when {% for age in ages %}balances.{{ age }}_balance <> 0 or {% endfor %}balances.local_date > bounds.stored_until
                or (balances.scope = 'all' and (bounds.stored_from is null or balances.local_date < bounds.stored_from))
                then coalesce(balances.next_date - 1, bounds.last_date)
            else balances.local_date
        end::timestamp,
        interval '1 day'
    ) as shown (local_date)
    {%- if is_incremental() %}
    left join lateral (
        select * from {{ this }} as held
        where (held.scope, held.scope_id, held.state) = (balances.scope, balances.scope_id, balances.state)
            and held.local_date = least(shown.local_date::date, bounds.stored_until)
        {{ planner_fence() }}
    ) as stored on true
    {%- endif %}
),

counted as (
    select
        *,
        {% for age in ages %}{{ age }}_count{{ ' + ' if not loop.last }}{% endfor %} as chat_count
    from days
)

-- Only for all chats is a day with nothing kept; where something was stored, an empty row takes its place and goes at once.
select
    local_date,
    scope,
    scope_id,
    state,
    chat_count::integer as chat_count,
    (chat_count + day_count)::integer as end_chat_count,
    {%- for name in flows + ages.keys() | list %}
    {{ name }}_count::integer as {{ name }}_count,
    {%- endfor %}
    counted_until
from counted
where scope = 'all' or is_stored or chat_count > 0 or chat_count + day_count > 0
    or {% for flow in flows %}{{ flow }}_count{{ ' + ' if not loop.last }}{% endfor %} > 0
