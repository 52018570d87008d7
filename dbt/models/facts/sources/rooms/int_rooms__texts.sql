-- What customers, agents and robots wrote in support rooms, for the classifiers: groups and direct rooms are not read by them.
select
    messages.chat_id,
    messages.position,
    messages.sent_at,
    messages.is_incoming,
    case
        when written.message_type in ('chat', 'robot') then 'text'
        when written.message_type in ('image', 'file') then written.message_type
        else 'other'
    end as content_type,
    case when written.message_type in ('chat', 'robot') then written.content end as text,
    case when written.message_type not in ('chat', 'robot') then written.content end as caption
from {{ ref('int_room_messages') }} as messages
inner join {{ ref('room_messages') }} as written on written.id = messages.message_id
