with landed as (
    select
        chat_id,
        position,
        -- Equal messages of a chat were counted when they landed.
        split_part(row_id, '-', 2) as occurrence,
        {{ to_24_hours("btrim(payload ->> 'message_created_at')") }} as created_at_text,
        {{ yes_no_to_boolean("payload ->> 'message_incoming'") }} as is_incoming,
        coalesce({{ yes_no_to_boolean("payload ->> 'broadcasted'") }}, false) as is_broadcast,
        {{ upper_ascii("coalesce(nullif(btrim(payload ->> 'message_type'), ''), 'unknown')") }} as b2chat_type,
        nullif(payload ->> 'message_contact', '') as contact_body,
        nullif(payload ->> 'message_agent', '') as agent_body,
        nullif(payload ->> 'message_bot', '') as bot_body,
        nullif(btrim(payload ->> 'message_caption'), '') as caption,
        {{ yes_no_to_boolean("payload ->> 'outgoing'") }} as is_outgoing,
        nullif(btrim(payload ->> 'agent_id'), '') as b2chat_agent_id,
        nullif(btrim(payload ->> 'agent_username'), '') as agent_username,
        {{ clean_text("payload ->> 'agent_name'") }} as agent_name,
        load_id,
        loaded_at
    from {{ source('raw', 'audit_messages') }}
),

told as (
    select
        *,
        coalesce(contact_body, agent_body, bot_body) as body
    from landed
)

select
    {{ message_id('chat_id', 'created_at_text', 'is_incoming', 'b2chat_type', 'occurrence', 'body') }} as message_id,
    chat_id,
    position,
    b2chat_type,
    body,
    caption,
    is_incoming,
    is_broadcast and not is_incoming as is_broadcast,
    not is_incoming and agent_body is null and bot_body is not null as is_bot,
    {{ to_instant('created_at_text') }} as created_at,
    is_outgoing,
    b2chat_agent_id,
    agent_username,
    agent_name,
    load_id,
    loaded_at
from told
