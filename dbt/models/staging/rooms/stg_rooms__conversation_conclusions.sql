{%- set columns = [
    'concluded_at', 'concluded_by_user_id', 'outcome', 'is_confirmed_by_customer', 'summary',
] -%}
select
    landed.row_key as room_id,
    {{ json_instant('record.concluded_at') }} as concluded_at,
    record.concluded_by_user_id,
    record.outcome,
    {{ to_boolean('record.is_confirmed_by_customer') }} as is_confirmed_by_customer,
    record.summary,

    landed.deleted_at as removed_at,
    landed.deletion_reason as removal_reason,
    landed.load_id,
    landed.loaded_at
from {{ source('rooms', 'conversation_conclusions') }} as landed
cross join lateral {{ unpacked('landed.payload', columns) }}
