with days as (
    select * from {{ ref('int_outcome_days') }}
    where broadcast_count > 0
),

-- The API gives no messages of chats that an agent began until the customer answers. Where a day's broadcasts were all
-- answered, those that were not are not seen, and nobody knows what they are a share of.
unanswered as (
    select local_date from {{ ref('int_outcome_days') }}
    where scope = 'all' and broadcast_answered_count < broadcast_count
),

names as (
    select * from {{ ref('int_scope_names') }}
)

select
    days.local_date,
    days.scope,
    days.scope_id,
    coalesce(names.scope_name, days.scope_id) as scope_name,
    days.broadcast_count as sent_count,
    days.broadcast_answered_count as answered_count,
    days.broadcast_converted_count as converted_count,
    case when unanswered.local_date is not null then
        days.broadcast_answered_count::double precision / days.broadcast_count
    end as answer_rate,
    case when unanswered.local_date is not null then
        days.broadcast_converted_count::double precision / days.broadcast_count
    end as conversion_rate,
    days.sum_answer_seconds,
    days.sum_answer_seconds::double precision / nullif(days.broadcast_answered_count, 0) as mean_answer_seconds,
    days.p50_answer_seconds,
    days.p90_answer_seconds
from days
left join unanswered on unanswered.local_date = days.local_date
left join names on names.scope = days.scope and names.scope_id = days.scope_id
