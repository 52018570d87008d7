{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    unique_key='contact_id',
    on_schema_change='append_new_columns',
    meta={'touched_by': 'int_touched_contacts'},
) }}

with known as (
    select max(known_until) as known_until from {{ ref('int_chat_loads') }}
),

chats as (
    select
        chats.*,
        following.chat_count > 0 as is_followed,
        following.incoming_count > 0 as is_contacted_again
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
        and chats.contact_id in (
            select contact_id from {{ ref('int_touched_contacts') }} as touched
            where {{ load_window('touched') }}
        )
),

-- Whether a closed chat was the last word is known once seven days have passed, or another chat has come.
judged as (
    select
        chats.*,
        case
            when chats.is_followed then false
            when known.known_until > chats.closed_at + interval '7 days' then true
        end as is_resolved
    from chats
    cross join known
)

select
    contact_id,
    min(created_at) as first_contact_at,
    max(created_at) as last_contact_at,
    count(*)::integer as chat_count,
    count(*) filter (where direction = 'incoming')::integer as incoming_chat_count,
    count(closed_at)::integer as closed_chat_count,
    count(*) filter (where is_followed)::integer as followed_chat_count,
    count(*) filter (where is_contacted_again)::integer as contacted_again_count,
    count(is_resolved)::integer as judged_chat_count,
    count(*) filter (where is_resolved)::integer as resolved_chat_count,
    count(*) filter (where is_resolved)::double precision / nullif(count(is_resolved), 0) as first_contact_resolution_rate
from judged
group by contact_id
