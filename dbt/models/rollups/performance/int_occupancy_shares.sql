-- How much of each weekday and hour has passed in each month, up to what the newest load knows: what a share is a share
-- of. Clock changes show: an hour that occurs twice a day counts twice.
with bounds as (
    select
        min(month_start) as first_month,
        (select max(known_until) from {{ ref('int_chat_loads') }}) as known_until
    from {{ ref('int_occupancy_months') }}
),

hours as (
    select
        {{ local_time('hour_start') }} as local_hour,
        least(interval '1 hour', bounds.known_until - hour_start) as passed
    from bounds
    cross join lateral generate_series(
        bounds.first_month::timestamp at time zone '{{ account_timezone() }}', bounds.known_until, interval '1 hour'
    ) as hour_start
)

select
    date_trunc('month', local_hour)::date as month_start,
    extract(dow from local_hour)::integer as day_of_week,
    extract(hour from local_hour)::integer as hour,
    round(extract(epoch from sum(passed)))::integer as passed_seconds
from hours
group by 1, 2, 3
