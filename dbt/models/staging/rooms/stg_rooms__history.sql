{#- The tables with a history, and the key of a row of theirs, as core has it. -#}
{%- set keys = {
    'users': "payload ->> 'id'",
    'chat_rooms': "payload ->> 'id'",
    'room_participants': "(payload ->> 'room_id') || '|' || (payload ->> 'user_id')",
    'messages': "payload ->> 'id'",
    'chat_file_attachments': "payload ->> 'id'",
    'robot_interactions': "payload ->> 'id'",
    'escalations': "payload ->> 'id'",
    'conversation_conclusions': "payload ->> 'room_id'",
    'user_roles': "payload ->> 'id'",
} -%}
{% for entity, key in keys.items() %}
select
    payload ->> 'history_id' as history_id,
    '{{ entity }}' as entity,
    {{ key }} as entity_id,
    conversation_id as room_id,
    upper(payload ->> 'operation_type') as operation,
    {{ json_instant("(payload ->> 'changed_at')") }} as changed_at,
    payload ->> 'changed_by' as changed_by_user_id,
    {{ text_array("payload -> 'changed_columns'") }} as changed_columns,
    payload as row_before,
    load_id,
    loaded_at
from {{ source('rooms', entity ~ '_history') }}
{% if not loop.last %}
union all
{% endif %}
{%- endfor %}
