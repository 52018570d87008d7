{{ config(post_hook="{{ as_barrier() }}") }}

-- As in my_chats. A chat's id may be asked for first: messages are looked up by the ids that are left.
with mine as materialized (
    select chats.chat_id
    from {{ ref('all_chats') }} as chats
    where {{ is_own_chat('chats') }}
)

select
    mine.chat_id,
    said.message_id,
    said.sent_at,
    said.position,
    said.is_incoming,
    said.type,
    said.text,
    said.caption,
    said.file_url
from mine
cross join lateral (
    select messages.*
    from {{ ref('all_messages') }} as messages
    where messages.chat_id = mine.chat_id
    {{ planner_fence() }}
) as said
