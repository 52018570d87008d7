{{ config(
    materialized='incremental',
    unique_key='chat_id',
    meta={'affected_by': 'int_customer_turns'},
    indexes=[{'columns': ['chat_id'], 'unique': true}, {'columns': ['load_id']}],
) }}

with turns as (
    select * from {{ ref('int_customer_turns') }}
    where {{ load_window('int_customer_turns') }}
),

per_chat as (
    select
        chat_id,
        load_id,
        is_outgoing,
        first_sender,
        sum(customer_message_count)::integer as incoming_message_count,
        sum(outgoing_message_count)::integer as outgoing_message_count,
        count(replied_at)::integer as reply_count,
        sum(reply_seconds)::bigint as reply_seconds_sum,
        sum(reply_from_last_seconds)::bigint as reply_from_last_seconds_sum,
        min(first_customer_at) as first_customer_at,
        max(replied_at) as last_replied_at
    from turns
    group by chat_id, load_id, is_outgoing, first_sender
),

directed as (
    select
        *,
        case
            when is_outgoing is not null then 'audit_export'
            when first_sender = 'customer' then 'first_message_incoming'
            -- The broadcast is the first message, so whatever the customer wrote came after it.
            when first_sender = 'broadcast' and incoming_message_count > 0 then 'broadcast_answered'
            when first_sender = 'broadcast' then 'first_message_broadcast'
            when first_sender = 'agent' then 'first_message_agent'
            when first_sender = 'nobody' then 'inferred_no_messages'
            else 'unknown'
        end as direction_source
    from per_chat
)

select
    chat_id,
    reply_seconds_sum,
    reply_from_last_seconds_sum,
    incoming_message_count,
    outgoing_message_count,
    reply_count,
    first_customer_at,
    last_replied_at,
    direction_source,
    case
        when first_sender = 'broadcast' and incoming_message_count > 0 then 'incoming'
        when first_sender = 'broadcast' and is_outgoing is not false then 'outgoing_broadcast'
        when is_outgoing then 'outgoing'
        when not is_outgoing then 'incoming'
        when first_sender = 'customer' then 'incoming'
        when direction_source in ('first_message_agent', 'inferred_no_messages') then 'outgoing'
        else 'unknown'
    end as direction,
    case when first_sender = 'broadcast' and incoming_message_count > 0 then 'outgoing_broadcast' end
        as original_direction,
    load_id
from directed
