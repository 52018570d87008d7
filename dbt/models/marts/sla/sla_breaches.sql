select
    chats.chat_id,
    chats.metric,
    clocks.clock,
    chats.opened_at,
    chats.opened_local_date,
    chats.agent_id,
    agents.name as agent_name,
    chats.department_id,
    departments.name as department_name,
    chats.channel,
    chats.direction,
    chats.target_seconds,
    clocks.actual_seconds,
    clocks.breached_at,
    clocks.seconds_past,
    case when chats.metric <> 'overall' then clocks.actual_seconds is not null end as has_happened,
    {{ label_columns('channel', 'chats.channel', 'channels') }},
    {{ label_columns('direction', 'chats.direction', 'directions') }},
    times.created_at,
    times.closed_at,
    times.first_response_seconds,
    chats.source,
    chats.conversation_id
from {{ ref('sla_chats') }} as chats
left join {{ ref('chat_response_times') }} as times on times.chat_id = chats.chat_id
cross join lateral (
    values
    ('wall', chats.wall_state, chats.actual_seconds, chats.wall_breached_at, chats.wall_seconds_past),
    (
        'business',
        chats.business_state,
        chats.actual_business_seconds,
        chats.business_breached_at,
        chats.business_seconds_past
    )
) as clocks (clock, state, actual_seconds, breached_at, seconds_past)
left join {{ ref('int_agents') }} as agents on agents.id = chats.agent_id
left join {{ ref('int_departments') }} as departments on departments.id = chats.department_id
left join {{ ref('channels') }} as channels on channels.channel = chats.channel
{{ join_labels('directions', "'direction'", 'chats.direction') }}
where clocks.state = 'breached' and not chats.is_deleted
