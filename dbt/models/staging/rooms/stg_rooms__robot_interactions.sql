{%- set columns = [
    'id', 'message_id', 'message_created_at', 'robot_id', 'status', 'is_handover', 'error_message',
    'started_at', 'completed_at', 'created_at', 'updated_at',
] -%}
select
    record.id,
    record.message_id,
    {{ json_instant('record.message_created_at') }} as message_created_at,
    record.robot_id,
    record.status,
    {{ to_boolean('record.is_handover') }} as is_handover,
    record.error_message,
    {{ json_instant('record.started_at') }} as started_at,
    {{ json_instant('record.completed_at') }} as completed_at,
    {{ json_instant('record.created_at') }} as created_at,
    {{ json_instant('record.updated_at') }} as updated_at,

    landed.deleted_at as removed_at,
    landed.deletion_reason as removal_reason,
    landed.load_id,
    landed.loaded_at
from {{ source('rooms', 'robot_interactions') }} as landed
cross join lateral {{ unpacked('landed.payload', columns) }}
