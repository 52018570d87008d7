-- Only support has sides: groups and direct rooms have no customer. All rooms of a conversation are asked together: an
-- escalation moves its guests on to the next room.
with takes_part as (
    select
        rooms.chat_id,
        participants.user_id,
        participants.role,
        false as is_creator,
        least(participants.joined_at, stints.joined_at) as joined_at
    from {{ ref('rooms') }} as rooms
    inner join {{ ref('room_participants') }} as participants on participants.room_id = rooms.id
    left join lateral (
        select min({{ json_instant('changes.old_value') }}) as joined_at
        from {{ ref('room_state_changes') }} as changes
        where changes.entity_key = 'room_participants|' || participants.room_id || '|' || participants.user_id
            and changes.field = 'joined_at'
    ) as stints on true
    where rooms.room_type in ('support', 'escalated')

    union all

    select
        chat_id,
        creator_id as user_id,
        null as role,
        id = root_room_id as is_creator,
        null as joined_at
    from {{ ref('rooms') }}
    where room_type in ('support', 'escalated') and creator_id is not null
),

asked as (
    select
        *,
        bool_or(role = 'guest') over (partition by chat_id) is true as has_guests
    from takes_part
),

users_of_chats as (
    select
        chat_id,
        user_id,
        bool_or(case when has_guests then role = 'guest' else is_creator end) is true as is_customer,
        bool_or(role in ('member', 'moderator')) is true as is_member,
        bool_or(is_creator) as is_creator,
        min(joined_at) as joined_at
    from asked
    group by chat_id, user_id
)

select
    sides.chat_id,
    sides.user_id,
    case
        when users.is_robot then 'robot'
        when sides.is_customer then 'customer'
        when sides.is_member then 'agent'
        else 'none'
    end as side,
    sides.is_creator,
    sides.joined_at
from users_of_chats as sides
left join {{ ref('room_users') }} as users on users.id = sides.user_id
