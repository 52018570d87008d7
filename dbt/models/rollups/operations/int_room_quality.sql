{{ config(
    materialized='incremental',
    unique_key=['subject', 'day'],
    tags=['rooms'],
    indexes=[{'columns': ['day', 'subject', 'rule'], 'unique': true}],
) }}

{{ broken_rules_by_day({
    'rooms': {'relation': 'rooms', 'rules': {
        'unknown_value': true, 'parent_cycle': true, 'from_the_future': true,
        'closed_without_a_change': "checked.status in ('closed', 'archived') and checked.concluded_at is null and not exists ("
            ~ "select 1 from " ~ ref('room_state_changes') ~ " as changes where changes.entity_key = 'chat_rooms|' || checked.id "
            ~ "and changes.field = 'status' and changes.old_value = 'active')",
    }},
    'room messages': {
        'relation': 'room_messages',
        'joins': "left join " ~ ref('rooms') ~ " as rooms on rooms.id = checked.room_id "
            ~ "left join " ~ ref('room_users') ~ " as users on users.id = checked.sender_id "
            ~ "left join " ~ ref('room_messages') ~ " as targets on targets.id = checked.reply_to_message_id",
        'rules': {
            'unknown_value': true, 'message_id_twice': true, 'from_the_future': true,
            'message_without_room': 'rooms.id is null',
            'message_without_sender': 'users.id is null',
            'reply_to_missing': 'checked.reply_to_message_id is not null and targets.id is null',
        },
    },
    'room participants': {
        'relation': 'room_participants',
        'key': "checked.room_id || '|' || checked.user_id",
        'rules': {'unknown_value': true, 'left_before_joined': true},
    },
    'room users': {'relation': 'room_users', 'rules': {'unknown_value': true}},
    'robot interactions': {
        'relation': 'robot_interactions', 'rules': {'unknown_value': true, 'completed_before_started': true}
    },
    'escalations': {
        'relation': 'escalations',
        'joins': "left join " ~ ref('rooms') ~ " as targets on targets.id = checked.target_room_id",
        'rules': {
            'unknown_value': true, 'resolved_before_created': true, 'resolved_without_time': true, 'from_the_future': true,
            'level_mismatch': 'targets.level <> checked.to_level',
        },
    },
}) }}
