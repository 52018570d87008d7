{%- set columns = [
    'name', 'is_active', 'created_at', 'updated_at', 'deleted_at',
] -%}
select
    landed.row_key as id,
    record.name,
    {{ to_boolean('record.is_active') }} as is_active,
    {{ json_instant('record.created_at') }} as created_at,
    {{ json_instant('record.updated_at') }} as updated_at,
    {{ json_instant('record.deleted_at') }} as deleted_at,

    landed.deleted_at as removed_at,
    landed.deletion_reason as removal_reason,
    landed.load_id,
    landed.loaded_at
from {{ source('rooms', 'organizations') }} as landed
cross join lateral {{ unpacked('landed.payload', columns) }}
