{%- set columns = [
    'id', 'call_id', 'call_created_at', 'agent_id', 'offered_at', 'outcome', 'decided_at', 'created_at',
    'updated_at',
] -%}
select
    record.id,
    record.call_id,
    {{ json_instant('record.call_created_at') }} as call_created_at,
    record.agent_id,
    {{ json_instant('record.offered_at') }} as offered_at,
    record.outcome,
    {{ json_instant('record.decided_at') }} as decided_at,
    {{ json_instant('record.created_at') }} as created_at,
    {{ json_instant('record.updated_at') }} as updated_at,

    landed.deleted_at as removed_at,
    landed.deletion_reason as removal_reason,
    landed.load_id,
    landed.loaded_at
from {{ source('calls', 'call_offers') }} as landed
cross join lateral {{ unpacked('landed.payload', columns) }}
