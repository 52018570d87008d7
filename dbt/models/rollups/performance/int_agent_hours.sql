{{ config(
    materialized='incremental',
    unique_key='local_date',
    meta={'affected_by': 'int_affected_activity_days'},
    indexes=[{'columns': ['local_date', 'department_id', 'agent_id']}],
) }}

-- depends_on: {{ ref('int_affected_activity_days') }}

-- Of how many chats at once an agent is at work on, by a sweep (macros/metrics/sweep.sql).
with {% if is_incremental() -%}
affected_days as (
    select distinct local_date
    from {{ ref('int_affected_activity_days') }} as affected
    where {{ load_window('affected') }}
),

islands as (
    {{- islands_of('affected_days') }}
),

-- Neighbouring days are swept at once.
windows as (
    select
        first_date::timestamp at time zone '{{ account_timezone() }}' as starts_at,
        (last_date + 1)::timestamp at time zone '{{ account_timezone() }}' as ends_at
    from islands
),
{%- else -%}
windows as (
    select '-infinity'::timestamptz as starts_at, 'infinity'::timestamptz as ends_at
),
{%- endif %}

known as (
    select max(known_until) as known_until from {{ ref('int_chat_loads') }}
),

-- Nobody is at work after what is known.
activity as (
    select
        activity.agent_id,
        activity.department_id,
        greatest(activity.active_from, windows.starts_at) as active_from,
        least(activity.active_to, windows.ends_at, known.known_until) as active_to
    from windows
    cross join known
    inner join {{ ref('int_agent_activity') }} as activity
        on tstzrange(activity.active_from, activity.active_to) && tstzrange(windows.starts_at, windows.ends_at)
    where activity.superseded_by_load_id is null
),

-- An agent may hold chats of several departments at once, so the whole is swept beside the parts.
spans as (
    select
        activity.agent_id,
        scope.department_id,
        activity.active_from as starts_at,
        activity.active_to as ends_at
    from activity
    cross join lateral (values ('all'), (coalesce(activity.department_id, 'none'))) as scope (department_id)
    where activity.active_from < activity.active_to
),

stretches as (
    {{- stretches_of('spans', 'agent_id, department_id') }}
),

quarters as (
    select
        *,
        {{ quarters_of('starts_at', 'ends_at') }} as quarter
    from stretches
    where span_count > 0
),

hourly as (
    select
        agent_id,
        department_id,
        {{ local_time('quarter') }} as local_hour,
        span_count as chat_count,
        {{ seconds_in_quarter('quarter', 'starts_at', 'ends_at') }} as seconds
    from quarters
)

select
    local_hour::date as local_date,
    extract(hour from local_hour)::integer as hour,
    agent_id,
    department_id,
    round(sum(seconds))::integer as active_seconds,
    round(sum(seconds * chat_count))::bigint as active_chat_seconds,
    max(chat_count)::integer as peak_chat_count
from hourly
group by 1, 2, agent_id, department_id
