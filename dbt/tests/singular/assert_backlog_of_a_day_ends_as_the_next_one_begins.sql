{{ config(meta={'dagster': {'ref': {'name': 'backlog_daily'}}}) }}

-- A day's end and the next one's start are worked out in two ways: by the events of the day, and by the ages at midnight.
-- A scope without a row has none.
with days as (
    select * from {{ ref('backlog_daily') }}
),

days_after as (
    select * from {{ ref('backlog_daily') }}
)

select
    coalesce(days.local_date, days_after.local_date - 1) as local_date,
    coalesce(days.scope, days_after.scope) as scope,
    coalesce(days.scope_id, days_after.scope_id) as scope_id,
    coalesce(days.state, days_after.state) as state,
    days.end_chat_count,
    days_after.chat_count
from days
full join days_after
    on days_after.scope = days.scope
    and days_after.scope_id = days.scope_id
    and days_after.state = days.state
    and days_after.local_date = days.local_date + 1
where coalesce(days.end_chat_count, 0) <> coalesce(days_after.chat_count, 0)
    and coalesce(days.local_date, days_after.local_date - 1) < (select max(local_date) from {{ ref('backlog_daily') }})
