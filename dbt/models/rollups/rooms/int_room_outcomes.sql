{{ config(
    materialized='incremental',
    unique_key='chat_id',
    meta={'affected_by': 'int_affected_room_chats'},
    indexes=[
        {'columns': ['chat_id'], 'unique': true},
        {'columns': ['contact_id', 'created_at']},
        {'columns': ['created_local_date']},
        {'columns': ['load_id']},
    ],
) }}

with affected as (
    select
        chat_id,
        max(load_id) as load_id
    from {{ ref('int_affected_room_chats') }} as affected
    where {{ load_window('affected') }}
    group by chat_id
),

-- The rooms of one matter are one conversation; how it was concluded stands at the last of them that was.
conversations as (
    select
        rooms.chat_id,
        affected.load_id,
        (array_agg(rooms.outcome order by rooms.concluded_at desc) filter (where rooms.outcome is not null))[1] as outcome,
        (array_agg(rooms.concluded_by_user_id order by rooms.concluded_at desc) filter (where rooms.outcome is not null))[1]
            as concluded_by_user_id
    from affected
    inner join {{ ref('rooms') }} as rooms on rooms.chat_id = affected.chat_id
    group by rooms.chat_id, affected.load_id
    having bool_or(rooms.id = rooms.root_room_id and rooms.room_type in ('support', 'escalated') and not rooms.is_deleted)
),

speakers as (
    select
        rooms.chat_id,
        min(messages.created_at) filter (where users.is_robot) as robot_spoke_at,
        (array_agg(messages.robot_id order by messages.created_at, messages.id) filter (where messages.robot_id is not null))[1]
            as robot_id,
        min(messages.created_at) filter (where not users.is_robot and senders.role in ('member', 'moderator')) as agent_spoke_at
    from conversations
    inner join {{ ref('rooms') }} as rooms on rooms.chat_id = conversations.chat_id
    inner join {{ ref('room_messages') }} as messages on messages.room_id = rooms.id
    inner join {{ ref('room_users') }} as users on users.id = messages.sender_id
    left join {{ ref('room_participants') }} as senders
        on senders.room_id = messages.room_id and senders.user_id = messages.sender_id
    where messages.is_counted and messages.message_type <> 'system'
    group by rooms.chat_id
),

escalated as (
    select
        chat_id,
        bool_or(is_entered) as is_escalated
    from {{ ref('int_escalation_states') }}
    where {{ is_of('conversations') }}
    group by chat_id
)

select
    conversations.chat_id,
    contacts.contact_id,
    speakers.robot_id,
    case
        when speakers.robot_id is null then null
        when times.opened_at is not null or speakers.agent_spoke_at is not null then 'handed_over'
        when times.closed_at is null then 'open'
        when conversations.outcome = 'resolved' and closers.account_type_informal in ('robot', 'guest', 'registered')
            then 'contained'
        else 'lapsed'
    end as robot_outcome,
    times.created_at,
    times.created_local_date,
    times.opened_at,
    times.closed_at,
    times.first_response_seconds,
    times.first_response_business_seconds,
    conversations.outcome,
    coalesce(escalated.is_escalated, false) as is_escalated,
    conversations.load_id
from conversations
inner join {{ ref('chat_response_times') }} as times on times.chat_id = conversations.chat_id
inner join {{ ref('int_conversations') }} as contacts on contacts.chat_id = conversations.chat_id
left join speakers
    on speakers.chat_id = conversations.chat_id
    and speakers.robot_spoke_at < coalesce(speakers.agent_spoke_at, 'infinity')
left join escalated on escalated.chat_id = conversations.chat_id
left join {{ ref('room_users') }} as closers on closers.id = conversations.concluded_by_user_id
where not times.is_deleted
