select
    'toy' as source,
    {{ source_key('toy', 'id') }} as chat_id,
    event.event,
    event.happened_at
from {{ ref('int_toy__notes') }}
cross join lateral (
    values ('opened', asked_at), ('picked_up', asked_at), ('responded', answered_at), ('closed', answered_at)
) as event (event, happened_at)
