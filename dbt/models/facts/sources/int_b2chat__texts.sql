-- What B2Chat's messages say, for the classifiers; a view of one table, as int_b2chat__conversations.
select
    {{ source_key('b2chat', 'chat_id') }} as chat_id,
    position,
    timestamp as sent_at,
    incoming as is_incoming,
    content_type,
    text,
    caption
from {{ ref('messages') }}
