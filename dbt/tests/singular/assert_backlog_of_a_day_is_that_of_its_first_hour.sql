{{ config(meta={'dagster': {'ref': {'name': 'backlog_daily'}}}) }}

-- Two models sum the same events by different steps. The first day's hours begin with the first chat, not at midnight.
with hours as (
    select distinct on (local_date)
        local_date,
        open_count,
        waiting_for_pickup_count,
        waiting_for_answer_count
    from {{ ref('backlog_hourly') }}
    where scope = 'all' and local_date > (select min(local_date) from {{ ref('backlog_hourly') }} where scope = 'all')
    order by local_date, hour_at
),

days as (
    select
        local_date,
        coalesce(sum(chat_count) filter (where state = 'open'), 0) as open_count,
        coalesce(sum(chat_count) filter (where state = 'waiting_for_pickup'), 0) as waiting_for_pickup_count,
        coalesce(sum(chat_count) filter (where state = 'waiting_for_answer'), 0) as waiting_for_answer_count
    from {{ ref('backlog_daily') }}
    where scope = 'all'
    group by local_date
)

select
    hours.*,
    days.open_count as open_count_of_day,
    days.waiting_for_pickup_count as waiting_for_pickup_count_of_day,
    days.waiting_for_answer_count as waiting_for_answer_count_of_day
from hours
inner join days on days.local_date = hours.local_date
where (hours.open_count, hours.waiting_for_pickup_count, hours.waiting_for_answer_count)
    is distinct from (days.open_count, days.waiting_for_pickup_count, days.waiting_for_answer_count)
