{{ config(
    materialized='incremental',
    unique_key='calendar',
    meta={'placement': 'reference', 'affected_by': 'int_affected_calendars'},
    indexes=[{'columns': ['calendar', 'bucket_at', 'starts_at'], 'unique': true}],
) }}

-- A sweep over the borders of slots and of buckets, each of which changes how many slots are open.
with calendars as (
    select distinct calendar from {{ ref('int_affected_calendars') }} as affected
    where {{ load_window('affected') }} or {{ all_loads_are_read() }}
),

turns as (
    select
        slots.calendar,
        turn.at,
        turn.change
    from {{ ref('int_business_slots') }} as slots
    cross join lateral (values (slots.starts_at, 1), (slots.ends_at, -1)) as turn (at, change)
    -- The second condition is looked at first, and spares the work when no calendar changed.
    where slots.calendar in (select calendar from calendars) and exists (select 1 from calendars)

    union all

    select
        calendars.calendar,
        bucket.at,
        0 as change
    from calendars
    cross join generate_series(
        {{ clock_bucket(calendar_starts_at()) }},
        {{ calendar_ends_at() }},
        interval '24 hours'
    ) as bucket (at)
    where bucket.at > {{ calendar_starts_at() }}

    union all

    select
        calendars.calendar,
        edge.at,
        0 as change
    from calendars
    cross join (values ({{ calendar_starts_at() }}), ({{ calendar_ends_at() }})) as edge (at)
),

borders as (
    select
        calendar,
        at,
        sum(change) as change
    from turns
    group by calendar, at
),

segments as (
    select
        calendar,
        at as starts_at,
        lead(at) over (partition by calendar order by at) as ends_at,
        sum(change) over (partition by calendar order by at) = 1 as is_open
    from borders
)

select
    calendar,
    {{ clock_bucket('starts_at') }} as bucket_at,
    starts_at,
    ends_at,
    is_open,
    coalesce(
        sum(case when is_open then date_part('epoch', ends_at - starts_at) else 0 end) over (
            partition by calendar order by starts_at
            rows between unbounded preceding and 1 preceding
        ),
        0
    ) as open_seconds_before
from segments
where ends_at is not null
