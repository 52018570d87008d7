-- Postgres hands a load window down to each branch, which looks its rows up by load.
select
    chat_id,
    load_id
from {{ ref('rooms') }}
{%- for relation, room_id in {
    'room_participants': 'room_id', 'room_messages': 'room_id', 'escalations': 'source_room_id', 'room_state_changes': 'room_id'
}.items() %}

union all

select
    rooms.chat_id,
    changed.load_id
from {{ ref(relation) }} as changed
inner join {{ ref('rooms') }} as rooms on rooms.id = changed.{{ room_id }}
{%- endfor %}

union all

select
    chat_id,
    load_id
from {{ ref('chat_response_times') }}
where source = 'rooms'
