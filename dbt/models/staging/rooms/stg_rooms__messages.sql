{%- set columns = [
    'id', 'room_id', 'sender_id', 'message_type', 'content', 'content_metadata jsonb', 'robot_id',
    'robot_response_to', 'is_robot_visible_to_guests', 'delivery_status', 'reply_to_message_id',
    'thread_id', 'client_key', 'created_at', 'updated_at', 'deleted_at',
] -%}
select
    record.id,
    record.room_id,
    record.sender_id,
    record.message_type,
    record.content,
    record.content_metadata,
    record.robot_id,
    record.robot_response_to,
    {{ to_boolean('record.is_robot_visible_to_guests') }} as is_robot_visible_to_guests,
    record.delivery_status,
    record.reply_to_message_id,
    record.thread_id,
    record.client_key,
    {{ json_instant('record.created_at') }} as created_at,
    {{ json_instant('record.updated_at') }} as updated_at,
    {{ json_instant('record.deleted_at') }} as deleted_at,

    landed.deleted_at as removed_at,
    landed.deletion_reason as removal_reason,
    landed.load_id,
    landed.loaded_at
from {{ source('rooms', 'messages') }} as landed
cross join lateral {{ unpacked('landed.payload', columns) }}
