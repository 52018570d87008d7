-- What happened to conversations in support rooms.
select
    'rooms' as source,
    clock.chat_id,
    event.event,
    event.happened_at
from {{ ref('int_room_clock') }} as clock
cross join lateral (
    values
    ('opened', clock.opened_at),
    ('picked_up', clock.picked_up_at),
    ('responded', clock.response_at),
    ('closed', clock.closed_at)
) as event (event, happened_at)
where event.happened_at is not null

union all

select
    'rooms' as source,
    clock.chat_id,
    event.event,
    event.happened_at
from {{ ref('int_room_clock') }} as clock
cross join lateral unnest(clock.pauses) as pause
cross join lateral (values ('closed', lower(pause)), ('reopened', upper(pause))) as event (event, happened_at)
