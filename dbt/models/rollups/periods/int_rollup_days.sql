-- A number of a period and that of the period before are so one join to a table of days and one GROUP BY. The days are
-- counted off from 62, so that Postgres knows how few they are.
select
    periods.period,
    periods.period_start,
    periods.period_end,
    periods.day_count,
    periods.is_partial,
    periods.previous_start + day.number as local_date,
    periods.previous_start + day.number < periods.period_start as is_before
from {{ ref('int_rollup_periods') }} as periods
cross join generate_series(0, 61) as day (number)
where periods.previous_start + day.number <= periods.period_end
