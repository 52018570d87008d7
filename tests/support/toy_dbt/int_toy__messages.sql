select
    'toy' as source,
    {{ source_key('toy', 'id') }} as chat_id,
    message.position,
    message.sent_at,
    message.is_incoming,
    false as is_broadcast,
    false as is_bot,
    'text' as content_type,
    load_id
from {{ ref('int_toy__notes') }}
cross join lateral (values (1, asked_at, true), (2, answered_at, false)) as message (position, sent_at, is_incoming)
