-- An affected day affects its week and its month.
select
    periods.period,
    periods.period_start,
    days.load_id
from {{ ref('int_escalation_days') }} as days
cross join lateral (
    values
    ('day', days.local_date),
    ('week', date_trunc('week', days.local_date)::date),
    ('month', date_trunc('month', days.local_date)::date)
) as periods (period, period_start)
