{%- set columns = [
    'id', 'message_id', 'message_created_at', 'file_manager_file_id', 'original_filename', 'file_size',
    'mime_type', 'thumbnail_url', 'preview_available', 'owner_id', 'created_at', 'updated_at',
    'deleted_at',
] -%}
select
    record.id,
    record.message_id,
    {{ json_instant('record.message_created_at') }} as message_created_at,
    record.file_manager_file_id,
    record.original_filename,
    {{ json_integer('record.file_size') }} as file_size,
    record.mime_type,
    record.thumbnail_url,
    {{ to_boolean('record.preview_available') }} as preview_available,
    record.owner_id,
    {{ json_instant('record.created_at') }} as created_at,
    {{ json_instant('record.updated_at') }} as updated_at,
    {{ json_instant('record.deleted_at') }} as deleted_at,

    landed.deleted_at as removed_at,
    landed.deletion_reason as removal_reason,
    landed.load_id,
    landed.loaded_at
from {{ source('rooms', 'chat_file_attachments') }} as landed
cross join lateral {{ unpacked('landed.payload', columns) }}
