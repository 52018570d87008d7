with chats as (
    select * from {{ ref('stg_b2chat__chats') }}
),

messages as (
    select
        chats.chat_id,
        chats.load_id,
        chats.loaded_at,
        message.position::integer as position,
        message.value ->> 'created_at' as created_at_text,
        {{ to_boolean("message.value ->> 'incoming'") }} as is_incoming,
        coalesce({{ to_boolean("message.value ->> 'broadcasted'") }}, false) as is_broadcast,
        upper(coalesce(nullif(btrim(message.value ->> 'type'), ''), 'unknown')) as b2chat_type,
        message.value ->> 'body' as body,
        nullif(btrim(message.value ->> 'caption'), '') as caption
    from chats
    cross join lateral jsonb_array_elements(
        case when chats.has_message_list then chats.messages else '[]'::jsonb end
    ) with ordinality as message (value, position)
    -- One that ingestion could not read (records.py, message_problem) is in quarantine, not here.
    where jsonb_typeof(message.value) = 'object' and {{ to_instant("message.value ->> 'created_at'") }} is not null
),

-- The API gives messages no id. Equal ones of a chat are told apart by counting them, because a position in the list
-- changes when a message before it vanishes. load_id is the same for all messages of a chat; it stands in the
-- partition so that a filter on it reaches the table below.
numbered as (
    select
        *,
        row_number() over (
            partition by load_id, chat_id, created_at_text, is_incoming, b2chat_type, body
            order by position
        ) as occurrence
    from messages
)

select
    {{ message_id('chat_id', 'created_at_text', 'is_incoming', 'b2chat_type', 'occurrence', 'body') }} as message_id,
    chat_id,
    position,
    b2chat_type,
    body,
    caption,
    is_incoming,
    is_broadcast,
    {{ to_instant('created_at_text') }} as created_at,
    load_id,
    loaded_at
from numbered
