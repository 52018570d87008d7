-- A view over the chats of its periods: who reads the slowest slots of one period of one scope pays for those.
select
    slots.period,
    slots.period_start,
    slots.scope,
    slots.scope_id,
    slots.direction,
    slots.slowest_rank,
    slots.day_of_week,
    slots.hour,
    chats.chat_id,
    chats.agent_name,
    chats.department_name,
    chats.created_at,
    chats.first_response_seconds,
    row_number() over (
        partition by
            slots.period, slots.period_start, slots.scope, slots.scope_id, slots.direction, slots.slowest_rank
        order by chats.first_response_seconds desc, chats.chat_id
    )::integer as chat_rank
from {{ ref('int_periods') }} as periods
inner join {{ ref('slots_by_direction') }} as slots
    on slots.period = periods.period and slots.period_start = periods.period_start
inner join {{ ref('chat_response_times') }} as chats
    on chats.created_local_date between periods.period_start and periods.period_end
    and chats.created_day_of_week = slots.day_of_week
    and chats.created_local_hour = slots.hour
    and chats.direction = slots.direction
cross join lateral ({{ scopes('chats', [credited_agent('first_response', 'chats')]) }}) as scopes (scope, scope_id)
where slots.slowest_rank is not null
    and scopes.scope = slots.scope
    and scopes.scope_id = slots.scope_id
    and chats.first_response_seconds is not null
    and not chats.is_deleted
