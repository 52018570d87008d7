{{ config(
    materialized='incremental',
    unique_key='chat_id',
    meta={'placement': 'chat_id', 'affected_by': 'chats', 'affected_key': 'id'},
    indexes=[{'columns': ['chat_id'], 'unique': true}, {'columns': ['load_id']}],
) }}

with chats as (
    select
        id as chat_id,
        picked_up_at,
        load_id
    from {{ ref('chats') }} as chats
    where {{ load_window('chats') }}
),

messages as (
    select * from {{ ref('messages') }}
    where {{ is_of('chats') }}
)

select
    chats.chat_id,
    -- The first message after the pick-up that no broadcast and no known bot wrote.
    min(messages.timestamp) filter (
        where not messages.incoming
            and not messages.is_broadcast
            and messages.is_bot is not true
            and messages.timestamp >= chats.picked_up_at
    ) as first_agent_message_at,
    coalesce(bool_or(messages.content_type = 'other'), false) as has_unknown_type,
    -- Ingestion cuts texts of more than a million characters (cleaning.py, MAX_TEXT_LENGTH) and ends them with a mark. Bytes
    -- first: they are known without reading the text.
    coalesce(
        bool_or(case when octet_length(messages.text) > 1000000 then length(messages.text) > 1000000 end), false
    ) as has_cut_text,
    chats.load_id
from chats
inner join messages on messages.chat_id = chats.chat_id
group by chats.chat_id, chats.load_id
