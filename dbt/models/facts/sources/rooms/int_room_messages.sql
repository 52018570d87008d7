{{ config(
    materialized='incremental',
    unique_key='chat_id',
    meta={'affected_by': 'int_affected_rooms'},
    indexes=[{'columns': ['chat_id', 'sent_at']}, {'columns': ['load_id']}],
) }}

with affected as (
    select
        chat_id,
        max(load_id) as load_id
    from {{ ref('int_affected_rooms') }} as affected
    where {{ load_window('affected') }}
    group by chat_id
),

sides as (
    select * from {{ ref('int_room_sides') }}
    where {{ is_of('affected') }}
),

messages as (
    select
        rooms.chat_id,
        messages.id as message_id,
        messages.room_id,
        messages.sender_id,
        messages.created_at as sent_at,
        case when messages.message_type = 'robot' then 'robot' else sides.side end as side,
        coalesce(messages.is_robot_visible_to_guests, false) as is_visible_to_guests,
        case
            when messages.message_type in ('chat', 'robot') then 'text'
            when messages.message_type in ('image', 'file') then messages.message_type
            else 'other'
        end as content_type
    from {{ ref('rooms') }} as rooms
    inner join {{ ref('room_messages') }} as messages on messages.room_id = rooms.id
    inner join sides on sides.chat_id = rooms.chat_id and sides.user_id = messages.sender_id
    where rooms.{{ is_of('affected') }}
        and rooms.room_type in ('support', 'escalated')
        and messages.is_counted
        -- What the system says is nobody's message: that somebody came in is no answer.
        and messages.message_type <> 'system'
)

-- Messages of observers, and a robot's that guests do not see, are between colleagues.
select
    messages.chat_id,
    messages.message_id,
    messages.room_id,
    messages.sender_id,
    messages.side,
    messages.sent_at,
    row_number() over (partition by messages.chat_id order by messages.sent_at, messages.message_id)::integer as position,
    messages.side = 'customer' as is_incoming,
    messages.side = 'robot' as is_bot,
    messages.content_type,
    affected.load_id
from messages
inner join affected on affected.chat_id = messages.chat_id
where messages.side in ('customer', 'agent') or (messages.side = 'robot' and messages.is_visible_to_guests)
