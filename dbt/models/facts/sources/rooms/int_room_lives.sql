-- A view whose rooms are each looked up by themselves: only those that are read cost anything.
select
    rooms.chat_id,
    rooms.id as room_id,
    rooms.created_at,
    rooms.status in ('closed', 'archived') or rooms.is_deleted or moves.moved_at is not null as is_over,
    case
        when rooms.status in ('closed', 'archived') then coalesce(ends.closed_at, rooms.concluded_at)
    end as closed_at,
    spans.open_spans
from {{ ref('rooms') }} as rooms

-- The talk goes on in the room that it was escalated to.
left join lateral (
    select min(escalations.created_at) as moved_at
    from {{ ref('escalations') }} as escalations
    where escalations.source_room_id = rooms.id
        and escalations.target_room_id <> rooms.id
        and escalations.status <> 'cancelled'
        and not escalations.is_deleted
) as moves on true

left join lateral (
    select max(changes.changed_at) filter (where changes.old_value = 'active' and changes.new_value <> 'active') as closed_at
    from {{ ref('room_state_changes') }} as changes
    where changes.entity_key = 'chat_rooms|' || rooms.id and changes.field = 'status'
) as ends on true

-- Open from its creation to its closing, and from each opening to the closing after it.
left join lateral (
    select range_agg(tstzrange(states.since, states.until, '[]')) as open_spans
    from (
        select
            state.since,
            state.is_active,
            lead(state.since, 1, case
                when rooms.status in ('closed', 'archived') then rooms.concluded_at else moves.moved_at
            end) over (order by state.since, state.number) as until
        from (
            select
                rooms.created_at as since,
                true as is_active,
                0 as number

            union all

            select
                changes.changed_at as since,
                changes.new_value = 'active' as is_active,
                row_number() over (order by changes.changed_at, changes.history_id) as number
            from {{ ref('room_state_changes') }} as changes
            where changes.entity_key = 'chat_rooms|' || rooms.id and changes.field = 'status'
        ) as state
    ) as states
    where states.is_active and states.since is not null and (states.until >= states.since or states.until is null)
) as spans on true
where rooms.room_type in ('support', 'escalated') and not rooms.is_from_the_future
