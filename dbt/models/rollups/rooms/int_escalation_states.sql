{{ config(
    materialized='incremental',
    unique_key='chat_id',
    meta={'affected_by': 'int_affected_room_chats'},
    indexes=[
        {'columns': ['chat_id', 'step_number'], 'unique': true},
        {'columns': ['created_local_date']},
        {'columns': ['resolved_local_date']},
        {'columns': ['cancelled_local_date']},
        {'columns': ['ended_local_date']},
        {'columns': ['escalated_local_date']},
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

-- Rooms first: those of a refresh are few.
escalations as (
    select
        escalations.*,
        rooms.chat_id
    from affected
    inner join {{ ref('rooms') }} as rooms on rooms.chat_id = affected.chat_id
    inner join {{ ref('escalations') }} as escalations on escalations.source_room_id = rooms.id
    where not escalations.is_deleted and escalations.created_at is not null
),

-- When an escalation was assigned, begun and called off is in its history alone.
changes as (
    select
        changes.entity_id,
        min(changes.changed_at) filter (
            where (changes.field = 'status' and changes.new_value = 'assigned')
            or (changes.field = 'assigned_to_user_id' and changes.new_value is not null)
        ) as assigned_at,
        min(changes.changed_at) filter (where changes.field = 'status' and changes.new_value = 'in_progress') as started_at,
        max(changes.changed_at) filter (where changes.field = 'status' and changes.new_value = 'cancelled') as cancelled_at
    from {{ ref('room_state_changes') }} as changes
    where changes.entity_key in (select 'escalations|' || id from escalations)
    group by changes.entity_id
),

-- Whole seconds, so that the parts of a conversation add up to the whole.
timed as (
    select
        escalations.id,
        escalations.chat_id,
        escalations.source_room_id,
        escalations.target_room_id,
        escalations.from_level,
        escalations.to_level,
        escalations.priority,
        escalations.assigned_to_user_id,
        escalations.status,
        escalations.quality_rules,
        date_trunc('second', escalations.created_at) as created_at,
        date_trunc('second', escalations.resolved_at) as resolved_at,
        date_trunc('second', changes.assigned_at) as assigned_at,
        date_trunc('second', changes.started_at) as started_at,
        date_trunc('second', changes.cancelled_at) as cancelled_at,
        date_trunc('second', answers.answered_at) as answered_at,
        date_trunc('second', rooms.opened_at) as room_opened_at,
        date_trunc('second', rooms.closed_at) as room_closed_at,
        calendars.calendar,
        row_number() over conversation as step_number,
        lead(date_trunc('second', escalations.created_at)) over conversation as next_created_at,
        lead(escalations.from_level) over conversation as next_from_level
    from escalations
    left join changes on changes.entity_id = escalations.id
    inner join {{ ref('chat_response_times') }} as rooms on rooms.chat_id = escalations.chat_id
    inner join {{ ref('int_chat_calendar') }} as calendars on calendars.chat_id = escalations.chat_id
    -- Whoever handed over may write in the room of the next level, too; that is no answer of the next level.
    left join lateral (
        select min(messages.created_at) as answered_at
        from {{ ref('room_messages') }} as messages
        inner join {{ ref('room_participants') }} as senders
            on senders.room_id = messages.room_id and senders.user_id = messages.sender_id
        inner join {{ ref('room_users') }} as users on users.id = messages.sender_id
        where messages.room_id = coalesce(escalations.target_room_id, escalations.source_room_id)
            and messages.created_at >= escalations.created_at
            and messages.is_counted
            and messages.message_type in ('chat', 'file', 'image', 'graph')
            and senders.role in ('member', 'moderator')
            and not users.is_robot
            and case
                when escalations.target_room_id <> escalations.source_room_id
                    then messages.sender_id <> escalations.created_by_user_id
                    or messages.sender_id = escalations.assigned_to_user_id
                else messages.sender_id = escalations.assigned_to_user_id
            end
    ) as answers on true
    window conversation as (partition by escalations.chat_id order by escalations.created_at, escalations.id)
),

known as (
    select
        *,
        case when status = 'resolved' and resolved_at >= created_at then resolved_at end as known_resolved_at,
        case when status = 'cancelled' and cancelled_at >= created_at then cancelled_at end as known_cancelled_at,
        case when room_closed_at >= created_at then room_closed_at end as known_closed_at,
        status <> 'cancelled' or coalesce(started_at <= cancelled_at, false) as is_entered
    from timed
),

-- The newer of two rules; one that nothing ended goes on until its conversation is closed.
spans as (
    select
        *,
        coalesce(known_resolved_at, known_cancelled_at) as own_end_at,
        case
            when next_created_at < coalesce(known_resolved_at, known_cancelled_at, 'infinity')
                then case when next_from_level = to_level and is_entered then 'passed_on' else 'superseded' end
            when status in ('resolved', 'cancelled') then status
            when known_closed_at is not null then 'closed'
            else 'open'
        end as outcome
    from known
),

ended as (
    select
        *,
        case outcome
            when 'passed_on' then next_created_at
            when 'superseded' then next_created_at
            when 'closed' then known_closed_at
            else own_end_at
        end as ended_at,
        outcome = 'cancelled' and next_created_at is null as is_given_back
    from spans
)

select
    ended.id as escalation_id,
    ended.chat_id,
    ended.step_number::integer as step_number,
    ended.from_level,
    ended.to_level,
    ended.priority,
    {{ person_of(source_key('rooms', 'ended.assigned_to_user_id')) }} as agent_id,
    ended.status,
    ended.outcome,
    ended.is_entered,
    ended.next_created_at is null as is_last,
    ended.is_given_back,
    ended.calendar,
    ended.created_at,
    ended.assigned_at,
    ended.started_at,
    ended.answered_at,
    ended.known_resolved_at as resolved_at,
    ended.known_cancelled_at as cancelled_at,
    ended.ended_at,
    -- Since when the conversation was at the level that this step left.
    case
        when ended.step_number = 1 then least(ended.room_opened_at, ended.created_at)
        else lag(ended.ended_at) over conversation
    end as before_at,
    case when ended.is_given_back then ended.known_closed_at end as given_back_until_at,
    {{ elapsed_seconds('ended.created_at', 'ended.assigned_at') }} as assign_seconds,
    {{ elapsed_seconds('ended.assigned_at', 'ended.started_at') }} as start_seconds,
    {{ elapsed_seconds('ended.created_at', 'ended.answered_at') }} as handover_seconds,
    {{ business_seconds('created_clock', 'ended.created_at', 'assigned_clock', 'ended.assigned_at') }}
        as assign_business_seconds,
    {{ business_seconds('assigned_clock', 'ended.assigned_at', 'started_clock', 'ended.started_at') }}
        as start_business_seconds,
    {{ business_seconds('created_clock', 'ended.created_at', 'answered_clock', 'ended.answered_at') }}
        as handover_business_seconds,
    case when ended.is_entered then {{ elapsed_seconds('ended.created_at', 'ended.ended_at') }} end as level_seconds,
    case
        when ended.is_entered then {{ business_seconds('created_clock', 'ended.created_at', 'ended_clock', 'ended.ended_at') }}
    end as level_business_seconds,
    ended.quality_rules,
    {{ local_time('ended.created_at') }}::date as created_local_date,
    {{ local_time('min(ended.created_at) over conversation') }}::date as escalated_local_date,
    {{ local_time('ended.known_resolved_at') }}::date as resolved_local_date,
    {{ local_time('ended.known_cancelled_at') }}::date as cancelled_local_date,
    {{ local_time('ended.ended_at') }}::date as ended_local_date,
    -- The last day on which there is something to count of it.
    case
        when ended.outcome <> 'open'
            then {{ local_time('greatest(ended.ended_at, ended.own_end_at, ended.created_at)') }}::date
    end as until_local_date,
    affected.load_id
from ended
inner join affected on affected.chat_id = ended.chat_id
{{ join_clock('created_clock', 'ended.calendar', 'ended.created_at') }}
{{ join_clock('assigned_clock', 'ended.calendar', 'ended.assigned_at') }}
{{ join_clock('started_clock', 'ended.calendar', 'ended.started_at') }}
{{ join_clock('answered_clock', 'ended.calendar', 'ended.answered_at') }}
{{ join_clock('ended_clock', 'ended.calendar', 'ended.ended_at') }}
window conversation as (partition by ended.chat_id order by ended.step_number)
