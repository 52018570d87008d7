{{ config(post_hook="{{ as_barrier() }}") }}

select
    messages.chat_id,
    messages.id as message_id,
    messages.timestamp as sent_at,
    messages.position,
    messages.incoming as is_incoming,
    messages.type,
    messages.text,
    messages.caption,
    coalesce(messages.image_url, messages.file_url) as file_url
from {{ ref('messages') }} as messages
inner join {{ ref('chats') }} as chats on chats.id = messages.chat_id
where not chats.is_deleted
