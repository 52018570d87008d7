-- A span that crosses midnight lies on two days; the part after midnight depends on the day before being a work day.
with spans as (
    select
        weekday,
        starts_at,
        ends_at,
        coalesce(valid_from, '-infinity'::date) as valid_from,
        coalesce(valid_to, 'infinity'::date) as valid_to
    from {{ ref('business_hours') }}
    where calendar = '{{ var("business_calendar") }}'
)

select
    weekday,
    0 as days_after_start,
    starts_at,
    case when ends_at > starts_at then ends_at else '24:00'::time end as ends_at,
    valid_from,
    valid_to
from spans

union all

select
    weekday % 7 + 1 as weekday,
    1 as days_after_start,
    '00:00'::time as starts_at,
    ends_at,
    valid_from,
    valid_to
from spans
where ends_at <= starts_at and ends_at > '00:00'::time
