select
    chat_id,
    {{ yes_no_to_boolean("payload ->> 'outgoing'") }} as is_outgoing,
    nullif(btrim(payload ->> 'agent_id'), '') as b2chat_agent_id,
    nullif(btrim(payload ->> 'agent_username'), '') as agent_username,
    {{ clean_text("payload ->> 'agent_name'") }} as agent_name,
    load_id,
    loaded_at
from {{ source('raw', 'audit_chats') }}
