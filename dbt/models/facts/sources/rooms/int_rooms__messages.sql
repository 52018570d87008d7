-- What customers, agents and robots wrote in support rooms, in the shape that all sources share; a view of one table.
select
    'rooms' as source,
    chat_id,
    position,
    sent_at,
    is_incoming,
    false as is_broadcast,
    is_bot,
    content_type,
    load_id
from {{ ref('int_room_messages') }}
