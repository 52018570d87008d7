{%- set columns = [
    'id', 'agent_id', 'from_status', 'to_status', 'reason', 'changed_at', 'created_at', 'updated_at',
] -%}
select
    record.id,
    record.agent_id,
    record.from_status,
    record.to_status,
    record.reason,
    {{ json_instant('record.changed_at') }} as changed_at,
    {{ json_instant('record.created_at') }} as created_at,
    {{ json_instant('record.updated_at') }} as updated_at,

    landed.deleted_at as removed_at,
    landed.deletion_reason as removal_reason,
    landed.load_id,
    landed.loaded_at
from {{ source('calls', 'agent_status_changes') }} as landed
cross join lateral {{ unpacked('landed.payload', columns) }}
