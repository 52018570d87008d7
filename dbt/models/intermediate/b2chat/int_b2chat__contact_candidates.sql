select
    contact_id,
    null::text as chat_id,
    full_name,
    mobile,
    phone_number,
    email,
    identification,
    address,
    city,
    country,
    company,
    custom_attributes,
    tags,
    false as is_stub,
    created_at,
    updated_at,
    deleted_at,
    deletion_reason,
    updated_at as seen_at,
    load_id,
    loaded_at
from {{ ref('stg_b2chat__contacts') }}

union all

select
    contact_id,
    chat_id,
    contact_name as full_name,
    contact_mobile as mobile,
    contact_phone_number as phone_number,
    contact_email as email,
    contact_identification as identification,
    null as address,
    null as city,
    null as country,
    null as company,
    contact_custom_attributes as custom_attributes,
    contact_tags as tags,
    true as is_stub,
    null as created_at,
    null as updated_at,
    null as deleted_at,
    null as deletion_reason,
    created_at as seen_at,
    load_id,
    loaded_at
from {{ ref('stg_b2chat__chats') }}
where contact_id is not null
