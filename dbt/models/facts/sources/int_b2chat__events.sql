-- What happened to B2Chat's chats, by all their versions; a view, as int_b2chat__conversations.
select
    'b2chat' as source,
    {{ source_key('b2chat', 'versions.chat_id') }} as chat_id,
    event.event,
    event.happened_at
from {{ ref('int_b2chat__chat_versions') }} as versions
cross join lateral (
    values
    ('opened', versions.opened_at),
    ('picked_up', versions.picked_up_at),
    ('responded', versions.responded_at),
    ('closed', versions.closed_at)
) as event (event, happened_at)
where event.happened_at is not null

union all

-- The API gives no time for these: they happened when a sync saw them.
select
    'b2chat' as source,
    {{ source_key('b2chat', 'chat_id') }} as chat_id,
    case when is_reopening then 'reopened' else 'department_transfer' end as event,
    observed_at as happened_at
from {{ ref('chat_status_history') }}
where is_reopening or (is_transfer and field = 'department')
