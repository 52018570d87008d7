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
    clock.contact_id,
    robots.robot_id,
    case
        when robots.robot_id is null then null
        when times.opened_at is not null or clock.handled_by = 'robot_then_human' then 'handed_over'
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
inner join {{ ref('int_room_clock') }} as clock on clock.chat_id = conversations.chat_id
left join lateral (
    select messages.robot_id
    from {{ ref('rooms') }} as rooms
    inner join {{ ref('room_messages') }} as messages on messages.room_id = rooms.id
    where rooms.chat_id = conversations.chat_id and messages.is_counted and messages.robot_id is not null
    order by messages.created_at, messages.id
    limit 1
) as robots on clock.handled_by in ('robot', 'robot_then_human')
left join escalated on escalated.chat_id = conversations.chat_id
left join {{ ref('room_users') }} as closers on closers.id = conversations.concluded_by_user_id
where not times.is_deleted
