{{ config(
    materialized='incremental',
    unique_key='local_date',
    meta={'affected_by': 'int_affected_room_days'},
    indexes=[{'columns': ['local_date', 'user_id'], 'unique': true}],
) }}

-- depends_on: {{ ref('int_affected_room_days') }}

with affected_days as (
    select
        local_date,
        local_date::timestamp at time zone '{{ account_timezone() }}' as starts_at,
        (local_date + 1)::timestamp at time zone '{{ account_timezone() }}' as ends_at
    from (
        select distinct local_date
        from {{ ref('int_affected_room_days') }} as affected
        where {{ load_window('affected') }}
    ) as affected
),

written as (
    select
        created_local_date as local_date,
        sender_id as user_id,
        count(*) as message_count,
        count(distinct room_id) as room_count
    from {{ ref('room_messages') }}
    where is_counted and sender_id is not null and created_local_date = any(array(select local_date from affected_days))
    group by created_local_date, sender_id
),

moved as (
    select
        affected_days.local_date,
        participants.user_id,
        count(*) filter (where lower(stint) >= affected_days.starts_at) as join_count,
        count(*) filter (where upper(stint) < affected_days.ends_at) as leave_count
    from affected_days
    inner join {{ ref('int_participant_stints') }} as participants
        on participants.edge_dates @> array[to_char(affected_days.local_date, 'YYYY-MM-DD')]
    cross join lateral unnest(participants.stints) as stint
    where stint && tstzrange(affected_days.starts_at, affected_days.ends_at)
    group by affected_days.local_date, participants.user_id
),

-- A reply is of whoever had the room, by the key that they have in rooms.
answered as (
    select
        turns.replied_local_date as local_date,
        had.agent_id,
        count(*) as answered_turn_count
    from {{ ref('reply_turns') }} as turns
    inner join {{ ref('int_rooms__agent_assignments') }} as had
        on had.chat_id = turns.chat_id
        and turns.replied_at >= had.assigned_from
        and turns.replied_at < had.assigned_to
    where turns.source = 'rooms' and turns.is_answered and not turns.is_deleted
        and turns.replied_local_date = any(array(select local_date from affected_days))
    group by turns.replied_local_date, had.agent_id
),

active as (
    select
        coalesce(written.local_date, moved.local_date) as local_date,
        coalesce(written.user_id, moved.user_id) as user_id,
        coalesce(written.message_count, 0) as message_count,
        coalesce(written.room_count, 0) as room_count,
        coalesce(moved.join_count, 0) as join_count,
        coalesce(moved.leave_count, 0) as leave_count
    from written
    full join moved on moved.local_date = written.local_date and moved.user_id = written.user_id
),

-- Only of those who did something on a day: whoever stays in a room for months has no row for each day of it.
presence as (
    select
        active.local_date,
        active.user_id,
        greatest(lower(stint), affected_days.starts_at) as starts_at,
        least(upper(stint), affected_days.ends_at) as ends_at
    from active
    inner join affected_days on affected_days.local_date = active.local_date
    inner join {{ ref('int_participant_stints') }} as participants
        on participants.user_id = active.user_id
        and participants.open_stints && tstzrange(affected_days.starts_at, affected_days.ends_at)
    cross join lateral unnest(participants.open_stints) as stint
    where stint && tstzrange(affected_days.starts_at, affected_days.ends_at) and lower(stint) < coalesce(upper(stint), 'infinity')
),

stretches as (
    {{- stretches_of('presence', 'local_date, user_id') }}
),

peaks as (
    select
        local_date,
        user_id,
        max(span_count) as peak_room_count
    from stretches
    group by local_date, user_id
)

select
    active.local_date,
    active.user_id,
    active.message_count::integer as message_count,
    active.room_count::integer as room_count,
    coalesce(answered.answered_turn_count, 0)::integer as answered_turn_count,
    active.join_count::integer as join_count,
    active.leave_count::integer as leave_count,
    coalesce(peaks.peak_room_count, 0)::integer as peak_room_count
from active
left join answered
    on answered.local_date = active.local_date and answered.agent_id = {{ source_key('rooms', 'active.user_id') }}
left join peaks on peaks.local_date = active.local_date and peaks.user_id = active.user_id
