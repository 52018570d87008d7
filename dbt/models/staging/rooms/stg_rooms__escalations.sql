{%- set columns = [
    'source_room_id', 'target_room_id', 'escalation_reason', 'from_level', 'to_level', 'priority',
    'created_by_user_id', 'assigned_to_user_id', 'status', 'resolution_notes', 'resolved_at',
    'created_at', 'updated_at',
] -%}
select
    landed.row_key as id,
    record.source_room_id,
    record.target_room_id,
    record.escalation_reason,
    record.from_level,
    record.to_level,
    {{ json_small_integer('record.priority') }} as priority,
    record.created_by_user_id,
    record.assigned_to_user_id,
    record.status,
    record.resolution_notes,
    {{ json_instant('record.resolved_at') }} as resolved_at,
    {{ json_instant('record.created_at') }} as created_at,
    {{ json_instant('record.updated_at') }} as updated_at,

    landed.deleted_at as removed_at,
    landed.deletion_reason as removal_reason,
    landed.load_id,
    landed.loaded_at
from {{ source('rooms', 'escalations') }} as landed
cross join lateral {{ unpacked('landed.payload', columns) }}
