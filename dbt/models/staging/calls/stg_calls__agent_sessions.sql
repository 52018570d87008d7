{%- set columns = [
    'id', 'agent_id', 'organization_id', 'started_at', 'ended_at', 'ended_by', 'created_at', 'updated_at',
] -%}
select
    record.id,
    record.agent_id,
    record.organization_id,
    {{ json_instant('record.started_at') }} as started_at,
    {{ json_instant('record.ended_at') }} as ended_at,
    record.ended_by,
    {{ json_instant('record.created_at') }} as created_at,
    {{ json_instant('record.updated_at') }} as updated_at,

    landed.deleted_at as removed_at,
    landed.deletion_reason as removal_reason,
    landed.load_id,
    landed.loaded_at
from {{ source('calls', 'agent_sessions') }} as landed
cross join lateral {{ unpacked('landed.payload', columns) }}
