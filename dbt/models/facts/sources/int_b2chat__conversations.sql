-- B2Chat's chats in the shape that all sources share. A view without CTEs: Postgres merges it into its reader's query, so
-- that only the chats that are read are looked up, by core's indexes, and nothing is stored twice.
select
    'b2chat' as source,
    'b2chat:' || chats.id as conversation_id,
    {{ source_key('b2chat', 'chats.id') }} as chat_id,
    chats.provider as channel,
    chats.agent_id,
    chats.contact_id,
    chats.department_id,
    chats.status,
    chats.priority,
    chats.direction,
    chats.original_direction,
    chats.direction_source,
    chats.is_converted,
    chats.created_at,
    chats.opened_at,
    chats.first_picked_up_at as picked_up_at,
    chats.first_response_at as response_at,
    chats.closed_at,
    greatest(chats.picked_up_at, chats.response_at) as last_agent_action_at,
    milestones.opened_from,
    milestones.human_from,
    milestones.pauses,
    milestones.ended_at,
    chats.created_local_date,
    chats.created_local_hour,
    chats.created_day_of_week,
    chats.created_week_start,
    chats.is_deleted,
    chats.load_id
from {{ ref('chats') }} as chats
left join {{ ref('int_b2chat__chat_milestones') }} as milestones on milestones.chat_id = chats.id
