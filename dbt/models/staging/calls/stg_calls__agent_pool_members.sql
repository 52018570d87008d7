{%- set columns = [
    'id', 'pool_id', 'agent_profile_id', 'added_at', 'removed_at', 'created_at', 'updated_at',
] -%}
select
    record.id,
    record.pool_id,
    record.agent_profile_id as agent_id,
    {{ json_instant('record.added_at') }} as added_at,
    {{ json_instant('record.removed_at') }} as left_at,
    {{ json_instant('record.created_at') }} as created_at,
    {{ json_instant('record.updated_at') }} as updated_at,

    landed.deleted_at as removed_at,
    landed.deletion_reason as removal_reason,
    landed.load_id,
    landed.loaded_at
from {{ source('calls', 'agent_pool_members') }} as landed
cross join lateral {{ unpacked('landed.payload', columns) }}
