{%- set columns = [
    'name', 'description', 'room_type', 'status', 'issue_id', 'issue_description', 'is_private',
    'guest_access_allowed', 'max_participants', 'creator_id', 'parent_room_id', 'escalation_level',
    'room_settings jsonb', 'organization_id', 'created_at', 'updated_at', 'deleted_at',
] -%}
select
    landed.row_key as id,
    record.name,
    record.description,
    record.room_type,
    record.status,
    record.issue_id,
    record.issue_description,
    {{ to_boolean('record.is_private') }} as is_private,
    {{ to_boolean('record.guest_access_allowed') }} as guest_access_allowed,
    {{ json_small_integer('record.max_participants') }} as max_participants,
    record.creator_id,
    record.parent_room_id,
    {{ json_small_integer('record.escalation_level') }} as escalation_level,
    record.room_settings,
    record.organization_id,
    {{ json_instant('record.created_at') }} as created_at,
    {{ json_instant('record.updated_at') }} as updated_at,
    {{ json_instant('record.deleted_at') }} as deleted_at,

    landed.deleted_at as removed_at,
    landed.deletion_reason as removal_reason,
    landed.load_id,
    landed.loaded_at
from {{ source('rooms', 'chat_rooms') }} as landed
cross join lateral {{ unpacked('landed.payload', columns) }}
