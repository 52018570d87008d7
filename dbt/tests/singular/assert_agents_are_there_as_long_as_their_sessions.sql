{{ config(tags=['calls'], meta={'dagster': {'ref': {'name': 'int_coverage_hours'}}}) }}

-- Agent-seconds of all hours are the seconds of all sessions, an agent with two tabs counted once; and so are those of all days
-- and statuses.
with sessions as (
    select coalesce(sum(date_part('epoch', upper(span) - lower(span))), 0) as seconds
    from (
        select unnest(range_agg(tstzrange(starts_at, ends_at))) as span
        from {{ ref('int_agent_sessions') }}
        where ends_at > starts_at
        group by agent_id
    ) as spans
),

hours as (
    select coalesce(sum(agent_seconds), 0) as seconds from {{ ref('int_coverage_hours') }}
    where scope = 'all'
)

select
    sessions.seconds as session_seconds,
    hours.seconds as hour_seconds
from sessions
cross join hours
where sessions.seconds <> hours.seconds

union all

select
    days.signed_in_seconds,
    null
from {{ ref('int_call_agent_days') }} as days
where days.signed_in_seconds <> days.available_seconds + days.in_call_seconds + days.wrap_up_seconds + days.busy_seconds
    + days.away_seconds + days.offline_seconds + days.unknown_seconds

union all

-- Nobody is there for longer than the hour is, and nothing goes unmet that was not asked for.
select
    covered_seconds,
    hour_seconds
from {{ ref('int_coverage_hours') }}
where covered_seconds > hour_seconds
    or agent_seconds < covered_seconds
    or agent_seconds > peak_agent_count::bigint * covered_seconds
    or uncovered_call_count > call_count
    or uncovered_pageview_count > pageview_count
    or (covered_seconds = hour_seconds and uncovered_call_count + uncovered_pageview_count > 0)
