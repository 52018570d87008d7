-- Whether a closed chat was the last word is known once seven days have passed, or another chat has come. How far we know is a
-- subquery of its own: joined, it would be worked out again for each chat that is looked up.
{%- set known_until = "(select max(known_until) from " ~ ref('int_chat_loads') ~ ")" %}
select
    chats.contact_id,
    chats.chat_id,
    chats.created_at,
    chats.closed_at,
    chats.direction,
    following.chat_count > 0 as is_followed,
    following.incoming_count > 0 as is_contacted_again,
    {{ known_until }} > chats.closed_at + interval '7 days' as has_waited,
    case
        when following.chat_count > 0 then false
        when {{ known_until }} > chats.closed_at + interval '7 days' then true
    end as is_resolved
from {{ ref('int_contact_chats') }} as chats
cross join lateral (
    select
        count(*) as chat_count,
        count(*) filter (where next.direction = 'incoming') as incoming_count
    from {{ ref('int_contact_chats') }} as next
    where next.contact_id = chats.contact_id
        and next.created_at between chats.closed_at and chats.closed_at + interval '7 days'
        and next.chat_id <> chats.chat_id
) as following
where not chats.is_left
