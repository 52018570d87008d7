-- The day of the newest load is still under way, and what was before the first chat is unknown, not quiet.
with bounds as (
    select
        (select min(local_date) from {{ ref('int_performance_days') }}) as first_day,
        (select max(local_date) from {{ ref('int_performance_days') }}) as last_day,
        {{ local_time('as_of') }}::date as newest_day
    from {{ ref('int_as_of') }}
    where as_of is not null
)

select
    periods.period,
    periods.period_start,
    periods.period_end,
    (periods.period_start - ('1 ' || periods.period)::interval)::date as previous_start,
    greatest(
        least(periods.period_end, bounds.newest_day) - greatest(periods.period_start, bounds.first_day) + 1, 0
    ) as day_count,
    periods.period_start < bounds.first_day or periods.period_end >= bounds.newest_day as is_partial
from {{ ref('int_periods') }} as periods
inner join bounds
    on periods.period_end >= bounds.first_day
    and periods.period_start <= greatest(bounds.last_day, bounds.newest_day)
where periods.period in ('week', 'month')
