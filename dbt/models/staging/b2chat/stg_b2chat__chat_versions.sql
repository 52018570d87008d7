-- Unpacked once, as in stg_b2chat__chats.
select
    versions.chat_id,
    versions.version,
    coalesce(nullif(btrim(record.status), ''), 'unknown') as b2chat_status,
    {{ agent_key('record.agent') }} as agent_id,
    coalesce(
        {{ clean_text("record.agent ->> 'name'") }},
        nullif(btrim(record.agent ->> 'username'), ''),
        nullif(btrim(record.agent ->> 'email'), '')
    ) as agent_name,
    nullif(btrim(record.agent ->> 'username'), '') as agent_username,
    nullif(btrim(record.agent ->> 'email'), '') as agent_email,
    {{ department_name('record.department') }} as department_name,
    {{ department_code('record.department') }} as department_code,
    {{ chat_priority('record.priority') }} as priority,

    {{ to_instant('record.created_at') }} as created_at,
    {{ to_instant('record.opened_at') }} as opened_at,
    {{ to_instant('record.picked_up_at') }} as picked_up_at,
    {{ to_instant('record.responded_at') }} as responded_at,
    {{ to_instant('record.closed_at') }} as closed_at,

    versions.load_id as landed_load_id,
    versions.loaded_at,
    versions.superseded_by_load_id as load_id
from {{ source('raw', 'chat_versions') }} as versions
cross join lateral jsonb_to_record(
    case when jsonb_typeof(versions.payload) = 'object' then versions.payload else '{}'::jsonb end
) as record (
    status text,
    agent jsonb,
    department jsonb,
    priority text,
    created_at text,
    opened_at text,
    picked_up_at text,
    responded_at text,
    closed_at text
)
