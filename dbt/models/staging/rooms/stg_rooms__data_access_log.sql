{%- set columns = [
    '"at" text', 'user_id', 'room_id', 'purpose', 'rows_read',
] -%}
select
    landed.row_key as id,
    {{ json_instant('record.at') }} as read_at,
    record.user_id,
    record.room_id,
    record.purpose,
    {{ json_integer('record.rows_read') }} as rows_read,

    landed.deleted_at as removed_at,
    landed.deletion_reason as removal_reason,
    landed.load_id,
    landed.loaded_at
from {{ source('rooms', 'data_access_log') }} as landed
cross join lateral {{ unpacked('landed.payload', columns) }}
