{{ config(
    unique_key=['room_id', 'user_id'],
    indexes=[{'columns': ['user_id']}, {'columns': ['created_local_date']}, {'columns': ['load_id']}],
) }}

select
    room_id,
    user_id,
    role,
    status,
    can_send_messages,
    can_invite_others,
    can_see_history,
    joined_at,
    last_read_at,
    case when left_at < joined_at then null else left_at end as left_at,
    created_at,
    updated_at,
    {{ row_state('landed') }},

    {{ local_time('coalesce(created_at, loaded_at)') }}::date as created_local_date,
    {{ broken_rules({
        'unknown_value': has_unknown_value({'role': 'participant_role', 'status': 'participant_status'}),
        'left_before_joined': 'left_at < joined_at',
    }) }} as quality_rules,
    load_id
from {{ ref('stg_rooms__room_participants') }} as landed
where room_id is not null and user_id is not null and {{ load_window('landed') }}
