-- What a load touches of the conversations in rooms: a conversation's rooms, whoever takes part in them, what was written,
-- what robots did, escalations, and what changed of its rooms before.
select
    chat_id,
    load_id
from {{ ref('rooms') }}

union all

-- A room that was escalated from another one only later was a conversation of its own until then.
select
    {{ source_key('rooms', 'id') }} as chat_id,
    load_id
from {{ ref('rooms') }}
where id <> root_room_id

union all

-- One that moved is missing where it was.
select
    rooms.chat_id,
    changes.load_id
from {{ ref('room_state_changes') }} as changes
inner join {{ ref('rooms') }} as rooms on rooms.id = changes.old_value
where changes.entity = 'chat_rooms' and changes.field = 'parent_room_id'

union all

select
    rooms.chat_id,
    participants.load_id
from {{ ref('room_participants') }} as participants
inner join {{ ref('rooms') }} as rooms on rooms.id = participants.room_id

union all

select
    rooms.chat_id,
    messages.load_id
from {{ ref('room_messages') }} as messages
inner join {{ ref('rooms') }} as rooms on rooms.id = messages.room_id

union all

select
    rooms.chat_id,
    interactions.load_id
from {{ ref('robot_interactions') }} as interactions
inner join {{ ref('room_messages') }} as messages on messages.id = interactions.message_id
inner join {{ ref('rooms') }} as rooms on rooms.id = messages.room_id

union all

select
    rooms.chat_id,
    escalations.load_id
from {{ ref('escalations') }} as escalations
inner join {{ ref('rooms') }} as rooms on rooms.id in (escalations.source_room_id, escalations.target_room_id)

union all

select
    rooms.chat_id,
    changes.load_id
from {{ ref('room_state_changes') }} as changes
inner join {{ ref('rooms') }} as rooms on rooms.id = changes.room_id
where changes.entity in ('chat_rooms', 'room_participants')

union all

-- Who becomes a robot, or stops being one, changes the sides of their rooms; who is online changes nothing.
select
    rooms.chat_id,
    changes.load_id
from {{ ref('room_state_changes') }} as changes
inner join {{ ref('room_participants') }} as participants on participants.user_id = changes.entity_id
inner join {{ ref('rooms') }} as rooms on rooms.id = participants.room_id
where changes.entity = 'users' and changes.field = 'account_type_informal'
