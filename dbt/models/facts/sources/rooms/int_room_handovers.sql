select
    handovers.chat_id,
    min(handovers.handed_over_at) as handed_over_at,
    (array_agg(handovers.to_level order by handovers.escalated_at desc, handovers.id) filter (where handovers.is_step))[1]
        as level,
    coalesce(bool_or(handovers.is_step), false) as is_escalated
from (
    select
        rooms.chat_id,
        interactions.id,
        coalesce(interactions.completed_at, interactions.started_at) as handed_over_at,
        null::timestamptz as escalated_at,
        null::text as to_level,
        false as is_step
    from {{ ref('rooms') }} as rooms
    inner join {{ ref('room_messages') }} as messages on messages.room_id = rooms.id
    inner join {{ ref('robot_interactions') }} as interactions on interactions.message_id = messages.id
    where interactions.is_handover

    union all

    select
        rooms.chat_id,
        escalations.id,
        case when users.is_robot then escalations.created_at end as handed_over_at,
        escalations.created_at as escalated_at,
        escalations.to_level,
        escalations.status <> 'cancelled' as is_step
    from {{ ref('rooms') }} as rooms
    inner join {{ ref('escalations') }} as escalations on escalations.source_room_id = rooms.id
    left join {{ ref('room_users') }} as users on users.id = escalations.created_by_user_id
    where not escalations.is_deleted
) as handovers
group by handovers.chat_id
