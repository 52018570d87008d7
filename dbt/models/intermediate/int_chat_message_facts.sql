{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    unique_key='chat_id',
    on_schema_change='append_new_columns',
    meta={'touched_by': 'int_audited_chats'},
    indexes=[{'columns': ['chat_id'], 'unique': true}, {'columns': ['load_id']}],
) }}

with chats as (
    select * from {{ ref('int_audited_chats') }}
    where {{ load_window('int_audited_chats') }}
),

messages as (
    select
        messages.*,
        -- The API does not say who wrote an outgoing message. One before the pick-up is a bot's, so is no reply.
        not messages.incoming
            and not messages.is_broadcast
            and messages.is_bot is not true
            and messages.timestamp >= chats.picked_up_at as is_reply
    from {{ ref('messages') }} as messages
    inner join chats on chats.chat_id = messages.chat_id
),

-- A turn is what was written up to and including one reply; customer messages in it are answered by that reply.
turns as (
    select
        *,
        count(*) filter (where is_reply) over (
            partition by chat_id order by timestamp, position
            rows between unbounded preceding and 1 preceding
        ) as turn,
        first_value(case when incoming then 'incoming' when is_broadcast then 'broadcast' else 'agent' end) over (
            partition by chat_id order by timestamp, position
        ) as first_sender
    from messages
    where incoming is not null
),

replies as (
    select
        chat_id,
        turn,
        min(first_sender) as first_sender,
        count(*) filter (where incoming) as incoming_count,
        count(*) filter (where not incoming) as outgoing_count,
        min(timestamp) filter (where is_reply) as replied_at,
        min(timestamp) filter (where incoming) as first_customer_at,
        max(timestamp) filter (where incoming) as last_customer_at
    from turns
    group by chat_id, turn
),

per_chat as (
    select
        chat_id,
        min(first_sender) as first_sender,
        sum(incoming_count)::integer as incoming_message_count,
        sum(outgoing_count)::integer as outgoing_message_count,
        count(replied_at - first_customer_at)::integer as reply_count,
        sum({{ seconds_between('first_customer_at', 'replied_at') }})::bigint as reply_seconds_sum,
        sum({{ seconds_between('last_customer_at', 'replied_at') }})::bigint as reply_from_last_seconds_sum
    from replies
    group by chat_id
),

directed as (
    select
        chats.chat_id,
        chats.load_id,
        per_chat.reply_seconds_sum,
        per_chat.reply_from_last_seconds_sum,
        coalesce(per_chat.incoming_message_count, 0) as incoming_message_count,
        coalesce(per_chat.outgoing_message_count, 0) as outgoing_message_count,
        coalesce(per_chat.reply_count, 0) as reply_count,
        chats.is_outgoing,
        per_chat.first_sender,
        case
            when chats.is_outgoing is not null then 'audit_export'
            when per_chat.first_sender = 'incoming' then 'first_message_incoming'
            -- The broadcast is the first message, so whatever the customer wrote came after it.
            when per_chat.first_sender = 'broadcast' and per_chat.incoming_message_count > 0 then 'broadcast_answered'
            when per_chat.first_sender = 'broadcast' then 'first_message_broadcast'
            when per_chat.first_sender = 'agent' then 'first_message_agent'
            when chats.has_message_list and chats.messages = '[]'::jsonb then 'inferred_no_messages'
            else 'unknown'
        end as direction_source
    from chats
    left join per_chat on per_chat.chat_id = chats.chat_id
)

select
    chat_id,
    reply_seconds_sum,
    reply_from_last_seconds_sum,
    incoming_message_count,
    outgoing_message_count,
    reply_count,
    direction_source,
    case
        when first_sender = 'broadcast' and incoming_message_count > 0 then 'incoming'
        when first_sender = 'broadcast' and is_outgoing is not false then 'outgoing_broadcast'
        when is_outgoing then 'outgoing'
        when not is_outgoing then 'incoming'
        when first_sender = 'incoming' then 'incoming'
        when direction_source in ('first_message_agent', 'inferred_no_messages') then 'outgoing'
        else 'unknown'
    end as direction,
    case when first_sender = 'broadcast' and incoming_message_count > 0 then 'outgoing_broadcast' end
        as original_direction,
    load_id
from directed
