-- Whoever is still there has been there until the newest load: so it is worked out when it is read.
select
    participants.chat_id as conversation_id,
    participants.room_id,
    participants.room_type,
    {{ source_key('rooms', 'participants.user_id') }} as participant_id,
    {{ shown_name('users') }} as participant_name,
    users.account_type_informal as account_type,
    participants.role,
    participants.status,
    stints.stint_count::integer as stint_count,
    stints.present_seconds,
    stints.is_present,
    lower(participants.stints) as first_joined_at,
    case when not stints.is_present then upper(participants.stints) end as last_left_at,
    participants.message_count,
    participants.last_read_at,
    participants.unread_count,
    participants.quality_rules
from {{ ref('int_participant_stints') }} as participants
inner join {{ ref('room_users') }} as users on users.id = participants.user_id
cross join {{ ref('int_room_known') }} as known
cross join lateral (
    select
        count(*) as stint_count,
        round(sum(extract(epoch from
            greatest(coalesce(upper(stint), known.known_until), lower(stint)) - lower(stint)
        )))::bigint as present_seconds,
        coalesce(bool_or(upper_inf(stint)), false) as is_present
    from unnest(participants.stints) as stint
) as stints
