{%- set began = 'bot_handed_over_count + bot_contained_count + bot_lost_in_queue_count + bot_with_bot_count' %}

with days as (
    select * from {{ ref('int_outcome_days') }}
    where {{ began }} > 0
),

names as (
    select * from {{ ref('int_scope_names') }}
)

select
    days.local_date,
    days.scope,
    days.scope_id,
    coalesce(names.scope_name, days.scope_id) as scope_name,
    {{ began }} as bot_chat_count,
    days.bot_handed_over_count as handed_over_count,
    days.bot_contained_count as contained_count,
    days.bot_lost_in_queue_count as lost_in_queue_count,
    days.bot_with_bot_count as with_bot_count,
    (days.bot_handed_over_count + days.bot_lost_in_queue_count)::double precision
        / nullif({{ began }} - days.bot_with_bot_count, 0) as handover_rate,
    days.bot_contained_count::double precision / nullif({{ began }} - days.bot_with_bot_count, 0) as containment_rate,
    days.bot_time_count,
    days.sum_bot_seconds,
    days.sum_bot_seconds::double precision / nullif(days.bot_time_count, 0) as mean_bot_seconds,
    days.p50_bot_seconds,
    days.p90_bot_seconds
from days
left join names on names.scope = days.scope and names.scope_id = days.scope_id
