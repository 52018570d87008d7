{%- set columns = [
    'username', 'first_name', 'last_name', 'email', 'display_name', 'avatar_url', 'current_status',
    'last_seen_at', 'chat_preferences jsonb', 'account_type_informal', 'current_account_status',
    'is_email_verified', 'organization_id', 'created_at', 'updated_at', 'deleted_at',
] -%}
select
    landed.row_key as id,
    record.username,
    record.first_name,
    record.last_name,
    record.email,
    record.display_name,
    record.avatar_url,
    record.current_status,
    {{ json_instant('record.last_seen_at') }} as last_seen_at,
    record.chat_preferences,
    record.account_type_informal,
    record.current_account_status,
    {{ to_boolean('record.is_email_verified') }} as is_email_verified,
    record.organization_id,
    {{ json_instant('record.created_at') }} as created_at,
    {{ json_instant('record.updated_at') }} as updated_at,
    {{ json_instant('record.deleted_at') }} as deleted_at,

    landed.deleted_at as removed_at,
    landed.deletion_reason as removal_reason,
    landed.load_id,
    landed.loaded_at
from {{ source('rooms', 'users') }} as landed
cross join lateral {{ unpacked('landed.payload', columns) }}
