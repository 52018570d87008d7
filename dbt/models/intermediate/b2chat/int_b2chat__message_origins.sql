-- The API's messages stand before the audit export's. load_id is that of the load which last changed the chat's messages;
-- each branch filters on the load_id of one table, so that a filter on this view's reaches that table's index.
{%- set has_api_messages = "(chats.has_message_list and chats.messages <> '[]'::jsonb)" %}

select
    chats.chat_id,
    'api' as message_source,
    chats.load_id
from {{ ref('stg_b2chat__chats') }} as chats
left join {{ ref('stg_b2chat__audit_chats') }} as audit on audit.chat_id = chats.chat_id
where audit.chat_id is null or {{ has_api_messages }}

union all

select
    chats.chat_id,
    'audit_export' as message_source,
    chats.load_id
from {{ ref('stg_b2chat__chats') }} as chats
inner join {{ ref('stg_b2chat__audit_chats') }} as audit on audit.chat_id = chats.chat_id
where not {{ has_api_messages }} and (audit.load_id <= chats.load_id or {{ is_above_high_watermark('audit') }})

union all

select
    chats.chat_id,
    'audit_export' as message_source,
    audit.load_id
from {{ ref('stg_b2chat__audit_chats') }} as audit
-- LIMIT makes Postgres look each chat up by its key: joined, it would unpack every chat there is.
cross join lateral (
    select * from {{ ref('stg_b2chat__chats') }} as chats
    where chats.chat_id = audit.chat_id
    limit 1
) as chats
where not {{ has_api_messages }} and audit.load_id > chats.load_id
