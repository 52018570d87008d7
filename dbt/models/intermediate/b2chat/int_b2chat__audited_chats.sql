-- load_id is the newer one of the API's and the audit export's, so that a load of either wakes the models below. Each
-- branch filters on the load_id of one table, so that a filter on this view's reaches that table's index.
{%- set columns = [
    'chat_id', 'agent_id', 'agent_username', 'contact_id', 'department_id', 'is_department_unreadable', 'provider',
    'b2chat_status', 'priority', 'alias', 'tags', 'messages', 'has_message_list', 'reported_duration',
    'is_agent_available', 'created_at', 'opened_at', 'picked_up_at', 'responded_at', 'closed_at', 'deleted_at',
    'deletion_reason', 'version', 'loaded_at'
] %}

select
    chats.{{ columns | join(',\n    chats.') }},
    audit.is_outgoing,
    case when audit.agent_username = chats.agent_username then audit.b2chat_agent_id end as b2chat_agent_id,
    chats.load_id
from {{ ref('int_b2chat__identified_chats') }} as chats
left join {{ ref('stg_b2chat__audit_chats') }} as audit on audit.chat_id = chats.chat_id
where audit.chat_id is null or audit.load_id <= chats.load_id or {{ is_above_high_watermark('audit') }}

union all

select
    chats.{{ columns | join(',\n    chats.') }},
    audit.is_outgoing,
    case when audit.agent_username = chats.agent_username then audit.b2chat_agent_id end as b2chat_agent_id,
    audit.load_id
from {{ ref('stg_b2chat__audit_chats') }} as audit
-- LIMIT makes Postgres look each chat up by its key: joined, it would unpack every chat there is.
cross join lateral (
    select * from {{ ref('int_b2chat__identified_chats') }} as chats
    where chats.chat_id = audit.chat_id
    order by chats.load_id desc
    limit 1
) as chats
where audit.load_id > chats.load_id
