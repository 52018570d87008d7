-- What happened to calls.
select
    'calls' as source,
    calls.chat_id,
    event.event,
    event.happened_at
from {{ ref('int_call_times') }} as calls
cross join lateral (
    values
    ('opened', calls.created_at),
    ('picked_up', calls.answered_at),
    ('responded', calls.answered_at),
    ('closed', calls.ended_at)
) as event (event, happened_at)
where event.happened_at is not null
