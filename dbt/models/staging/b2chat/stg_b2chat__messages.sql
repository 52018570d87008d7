-- The API gives messages no id. Equal ones of a chat are told apart by counting them, because a position in the list
-- changes when a message before it vanishes. They are counted within each chat: counting over all messages at once
-- would sort them all. The path unpacks a payload once, and gives nothing where messages is no list.
select
    {{ message_id(
        'chats.chat_id', 'message.created_at_text', 'message.is_incoming', 'message.b2chat_type',
        'message.occurrence', 'message.body'
    ) }} as message_id,
    chats.chat_id,
    message.position,
    message.b2chat_type,
    message.body,
    message.caption,
    message.is_incoming,
    -- Only the account sends broadcasts: the flag on a customer's message says what it answers.
    message.is_broadcast and message.is_incoming is not true as is_broadcast,
    message.created_at,
    chats.load_id,
    chats.loaded_at
from {{ source('raw', 'chats') }} as chats
cross join lateral (
    select
        *,
        {{ to_instant('created_at_text') }} as created_at,
        row_number() over (
            partition by created_at_text, is_incoming, b2chat_type, body
            order by position
        ) as occurrence
    from (
        select
            element.position::integer as position,
            element.value ->> 'created_at' as created_at_text,
            {{ to_boolean("element.value ->> 'incoming'") }} as is_incoming,
            coalesce({{ to_boolean("element.value ->> 'broadcasted'") }}, false) as is_broadcast,
            {{ upper_ascii("coalesce(nullif(btrim(element.value ->> 'type'), ''), 'unknown')") }} as b2chat_type,
            element.value ->> 'body' as body,
            nullif(btrim(element.value ->> 'caption'), '') as caption
        from jsonb_path_query(chats.payload, 'strict $.messages[*]', '{}', true)
            with ordinality as element (value, position)
        where jsonb_typeof(element.value) = 'object'
    ) as parsed
) as message
-- One that ingestion could not read (records.py, message_problem) is in quarantine, not here.
where message.created_at is not null
