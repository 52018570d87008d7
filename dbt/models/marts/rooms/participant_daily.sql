select
    days.local_date,
    {{ source_key('rooms', 'days.user_id') }} as participant_id,
    {{ shown_name('users') }} as participant_name,
    users.account_type_informal as account_type,
    days.message_count,
    days.room_count,
    days.answered_turn_count,
    days.join_count,
    days.leave_count,
    days.peak_room_count
from {{ ref('int_participant_days') }} as days
inner join {{ ref('room_users') }} as users on users.id = days.user_id
