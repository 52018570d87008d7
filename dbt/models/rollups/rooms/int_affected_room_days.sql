-- A message counts on its day, a stint on those on which it began and ended; and a day that a stint has left is told anew by
-- the load that showed it.
select
    created_local_date as local_date,
    load_id
from {{ ref('room_messages') }}

union all

select
    {{ date_of('message_created_at') }} as local_date,
    load_id
from {{ ref('room_attachments') }}
where message_created_at is not null

union all

select
    {{ date_of('changed_at') }} as local_date,
    load_id
from {{ ref('room_state_changes') }}

union all

select
    {{ date_of('moment.happened_at') }} as local_date,
    participants.load_id
from {{ ref('room_participants') }} as participants
cross join lateral (values (participants.joined_at), (participants.left_at)) as moment (happened_at)
where moment.happened_at is not null
