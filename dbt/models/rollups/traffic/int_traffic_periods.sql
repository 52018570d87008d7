-- Whole days only: a day under way would count as one in which little happened.
with bounds as (
    select
        (select {{ local_time('min(created_at)') }}::date from {{ ref('chat_response_times') }}) as first_day,
        {{ local_time('as_of') }}::date - 1 as last_day,
        date_trunc('week', {{ local_time('as_of') }})::date as current_week
    from {{ ref('int_as_of') }}
    where as_of is not null
),

periods as (
    select
        'last_4_weeks' as period,
        current_week - 28 as period_start,
        current_week - 1 as period_end,
        first_day
    from bounds

    union all

    select
        'last_12_weeks' as period,
        current_week - 84 as period_start,
        current_week - 1 as period_end,
        first_day
    from bounds

    union all

    select
        'month' as period,
        month_start::date as period_start,
        least((month_start + interval '1 month')::date - 1, last_day) as period_end,
        first_day
    from bounds
    cross join lateral generate_series(
        date_trunc('month', first_day::timestamp), last_day::timestamp, interval '1 month'
    ) as month_start
)

select
    periods.period,
    periods.period_start,
    periods.period_end,
    greatest(periods.period_start, periods.first_day) as counted_from,
    weekdays.day_of_week,
    weekdays.occurrences
from periods
cross join lateral (
    select
        day_of_week,
        count(day)::integer as occurrences
    from generate_series(0, 6) as day_of_week
    left join generate_series(
        greatest(periods.period_start, periods.first_day)::timestamp, periods.period_end::timestamp, interval '1 day'
    ) as day
        on extract(dow from day) = day_of_week
    group by day_of_week
) as weekdays
