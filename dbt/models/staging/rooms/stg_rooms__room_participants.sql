{%- set columns = [
    'room_id', 'user_id', 'role', 'status', 'can_send_messages', 'can_invite_others', 'can_see_history',
    'joined_at', 'last_read_at', 'left_at', 'created_at', 'updated_at', 'deleted_at',
] -%}
select
    record.room_id,
    record.user_id,
    record.role,
    record.status,
    {{ to_boolean('record.can_send_messages') }} as can_send_messages,
    {{ to_boolean('record.can_invite_others') }} as can_invite_others,
    {{ to_boolean('record.can_see_history') }} as can_see_history,
    {{ json_instant('record.joined_at') }} as joined_at,
    {{ json_instant('record.last_read_at') }} as last_read_at,
    {{ json_instant('record.left_at') }} as left_at,
    {{ json_instant('record.created_at') }} as created_at,
    {{ json_instant('record.updated_at') }} as updated_at,
    {{ json_instant('record.deleted_at') }} as deleted_at,

    landed.deleted_at as removed_at,
    landed.deletion_reason as removal_reason,
    landed.load_id,
    landed.loaded_at
from {{ source('rooms', 'room_participants') }} as landed
cross join lateral {{ unpacked('landed.payload', columns) }}
