select
    contact_id,

    {{ clean_text("coalesce(payload ->> 'fullname', payload ->> 'name')") }} as full_name,
    nullif(btrim(coalesce(payload ->> 'mobile', payload ->> 'mobile_number')), '') as mobile,
    nullif(btrim(coalesce(payload ->> 'landline', payload ->> 'phone_number')), '') as phone_number,
    nullif(btrim(payload ->> 'email'), '') as email,
    nullif(btrim(payload ->> 'identification'), '') as identification,
    {{ clean_text("payload ->> 'address'") }} as address,
    {{ clean_text("payload ->> 'city'") }} as city,
    {{ clean_text("payload ->> 'country'") }} as country,
    {{ clean_text("payload ->> 'company'") }} as company,
    {{ json_value("payload -> 'custom_attributes'") }} as custom_attributes,
    {{ json_value("payload -> 'tags'") }} as tags,

    {{ to_instant("payload ->> 'created'") }} as created_at,
    {{ to_instant("payload ->> 'updated'") }} as updated_at,

    deleted_at,
    deletion_reason,

    version,
    load_id,
    loaded_at
from {{ source('raw', 'contacts') }}
