-- B2Chat's messages in the shape that all sources share; a view, as int_b2chat__conversations.
select
    'b2chat' as source,
    {{ source_key('b2chat', 'chat_id') }} as chat_id,
    position,
    timestamp as sent_at,
    incoming as is_incoming,
    is_broadcast,
    is_bot,
    content_type,
    load_id
from {{ ref('messages') }}
