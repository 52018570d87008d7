{%- set columns = [
    'user_id', 'to_status', 'changed_at',
] -%}
select
    record.user_id,
    record.to_status,
    {{ json_instant('record.changed_at') }} as changed_at,

    landed.deleted_at as removed_at,
    landed.deletion_reason as removal_reason,
    landed.load_id,
    landed.loaded_at
from {{ source('rooms', 'user_presence_changes') }} as landed
cross join lateral {{ unpacked('landed.payload', columns) }}
