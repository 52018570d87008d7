with days as (
    select * from {{ ref('int_outcome_days') }}
    where broadcast_count > 0
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
    days.broadcast_answered_count::double precision / nullif(days.broadcast_count, 0) as answer_rate,
    days.broadcast_converted_count::double precision / nullif(days.broadcast_count, 0) as conversion_rate,
    days.sum_answer_seconds,
    days.sum_answer_seconds::double precision / nullif(days.broadcast_answered_count, 0) as mean_answer_seconds,
    days.p50_answer_seconds,
    days.p90_answer_seconds
from days
left join names on names.scope = days.scope and names.scope_id = days.scope_id
