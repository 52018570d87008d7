-- The payload is unpacked once: it is large, and each ->> on it would decompress the whole of it again.
with chats as (
    select
        chats.chat_id,
        chats.version,
        chats.load_id,
        chats.loaded_at,
        chats.deleted_at,
        chats.deletion_reason,
        record.*
    from {{ source('raw', 'chats') }} as chats
    cross join lateral jsonb_to_record(
        case when jsonb_typeof(chats.payload) = 'object' then chats.payload else '{}'::jsonb end
    ) as record (
        agent jsonb,
        contact jsonb,
        department jsonb,
        tags jsonb,
        messages jsonb,
        provider text,
        status text,
        priority text,
        alias text,
        duration text,
        is_agent_available text,
        created_at text,
        opened_at text,
        picked_up_at text,
        responded_at text,
        closed_at text
    )
),

renamed as (
    select
        chat_id,

        {{ agent_key('agent') }} as agent_id,
        nullif(btrim(agent ->> 'username'), '') as agent_username,
        nullif(btrim(agent ->> 'email'), '') as agent_email,
        {{ clean_text("agent ->> 'name'") }} as agent_name,

        {{ department_name('department') }} as department_name,
        {{ department_code('department') }} as department_code,
        {{ is_department_unreadable('department') }} as is_department_unreadable,

        -- Contacts inside chats have other field names than the contacts export, and both spellings are met.
        nullif(btrim(coalesce(contact ->> 'id', contact ->> 'contact_id')), '') as contact_id,
        {{ clean_text("coalesce(contact ->> 'name', contact ->> 'fullname')") }} as contact_name,
        nullif(btrim(coalesce(contact ->> 'mobile_number', contact ->> 'mobile')), '') as contact_mobile,
        nullif(btrim(coalesce(contact ->> 'phone_number', contact ->> 'landline')), '') as contact_phone_number,
        nullif(btrim(contact ->> 'email'), '') as contact_email,
        nullif(btrim(contact ->> 'identification'), '') as contact_identification,
        {{ json_value("contact -> 'custom_attributes'") }} as contact_custom_attributes,
        {{ json_value("contact -> 'tags'") }} as contact_tags,

        coalesce({{ normalize_provider('provider') }}, 'unknown') as provider,
        coalesce(nullif(btrim(status), ''), 'unknown') as b2chat_status,
        {{ chat_priority('priority') }} as priority,
        nullif(btrim(alias), '') as alias,
        {{ text_array('tags') }} as tags,
        messages,

        {{ duration_to_seconds('duration') }} as reported_duration,

        {{ to_boolean('is_agent_available') }} as is_agent_available,
        coalesce(jsonb_typeof(messages) = 'array', false) as has_message_list,

        {{ to_instant('created_at') }} as created_at,
        {{ to_instant('opened_at') }} as opened_at,
        {{ to_instant('picked_up_at') }} as picked_up_at,
        {{ to_instant('responded_at') }} as responded_at,
        {{ to_instant('closed_at') }} as closed_at,

        deleted_at,
        deletion_reason,

        version,
        load_id,
        loaded_at
    from chats
)

select
    chat_id,
    agent_id,
    contact_id,

    coalesce(agent_name, agent_username, agent_email) as agent_name,
    agent_username,
    agent_email,
    department_name,
    department_code,
    is_department_unreadable,
    contact_name,
    contact_mobile,
    contact_phone_number,
    contact_email,
    contact_identification,
    contact_custom_attributes,
    contact_tags,
    provider,
    b2chat_status,
    priority,
    alias,
    tags,
    messages,
    reported_duration,
    is_agent_available,
    has_message_list,
    created_at,
    opened_at,
    picked_up_at,
    responded_at,
    closed_at,
    deleted_at,
    deletion_reason,
    version,
    load_id,
    loaded_at
from renamed
