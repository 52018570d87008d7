-- Whole days are taken from the zone, not from UTC, and holidays are dropped before conversion: Postgres knows the
-- zone's clock changes. A border in the hour that a clock change skips moves to after it; in the hour that comes twice
-- it is the second one.
with days as (
    select day::date as local_date
    from generate_series(
        {{ calendar_first_day() }}::timestamp - interval '1 day',
        {{ calendar_last_day() }}::timestamp,
        interval '1 day'
    ) as day
),

spans as (
    select
        hours.calendar,
        (days.local_date + hours.starts_at) at time zone '{{ account_timezone() }}' as starts_at,
        (
            days.local_date + case when hours.ends_at > hours.starts_at then 0 else 1 end + hours.ends_at
        ) at time zone '{{ account_timezone() }}' as ends_at
    from {{ ref('business_hours') }} as hours
    inner join days
        on extract(isodow from days.local_date) = hours.weekday
        and {{ is_effective('hours', 'days.local_date') }}
    where not exists (
        select 1 from {{ ref('holidays') }} as holidays
        where holidays.calendar = hours.calendar and holidays.holiday_date = days.local_date
    )
),

-- A span that lies in a skipped hour ends before it starts: it is empty.
merged as (
    select
        calendar,
        range_agg(tstzrange(starts_at, greatest(starts_at, ends_at)))
        * tstzmultirange(tstzrange({{ calendar_starts_at() }}, {{ calendar_ends_at() }})) as slots
    from spans
    group by calendar
)

select
    merged.calendar,
    lower(slot.whole) as starts_at,
    upper(slot.whole) as ends_at
from merged
cross join lateral unnest(merged.slots) as slot (whole)
