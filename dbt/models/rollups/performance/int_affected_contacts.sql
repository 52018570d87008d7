-- A load affects the contacts of its chats, and those whose seven days after a closing ended since the load before.
select
    contact_id,
    load_id
from {{ ref('int_contact_chats') }}

union all

select
    chats.contact_id,
    loads.load_id
from {{ ref('int_chat_loads') }} as loads
inner join {{ ref('int_contact_chats') }} as chats
    on chats.closed_at >= loads.known_until_before - interval '7 days'
    and chats.closed_at < loads.known_until - interval '7 days'
