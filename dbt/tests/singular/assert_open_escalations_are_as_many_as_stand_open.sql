{{ config(meta={'dagster': {'ref': {'name': 'escalations_by_period'}}}) }}

-- What stood open at the last midnight is a sum of all that came and went; here each is looked at.
with newest as (
    select {{ local_time('known_until') }}::date as local_date from {{ ref('int_room_known') }}
),

counted as (
    select
        (
            select coalesce(sum(periods.end_open_count), 0)
            from {{ ref('escalations_by_period') }} as periods
            where periods.period = 'day' and periods.scope = 'all' and periods.period_start = newest.local_date
        ) as summed_count,
        (
            select count(*)
            from {{ ref('escalation_steps') }} as steps
            where steps.created_local_date <= newest.local_date
                and (steps.is_open or steps.ended_local_date > newest.local_date)
        ) as open_count
    from newest
)

select *
from counted
where summed_count <> open_count
