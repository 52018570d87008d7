-- A department has a code, and chats name it by the code, by both, or by the name alone. A name alone is the department
-- whose code some chat told.
{%- set columns = [
    'agent_id', 'agent_name', 'agent_username', 'agent_email', 'contact_id', 'department_name',
    'is_department_unreadable', 'provider', 'b2chat_status', 'priority', 'alias', 'tags', 'messages', 'has_message_list',
    'reported_duration', 'is_agent_available', 'created_at', 'opened_at', 'picked_up_at', 'responded_at', 'closed_at',
    'deleted_at', 'deletion_reason', 'version', 'loaded_at'
] %}

with codes as (
    select * from {{ ref('int_b2chat__department_codes') }} as codes
    where not {{ is_above_high_watermark('codes') }}
)

select
    chats.chat_id,
    chats.{{ columns | join(',\n    chats.') }},
    coalesce(chats.department_code, codes.department_code, chats.department_name) as department_id,
    chats.load_id
from {{ ref('stg_b2chat__chats') }} as chats
left join codes on chats.department_code is null and codes.department_name = chats.department_name

union all

-- Chats that landed before a code was told, or versions of theirs: affected by the load that told it. This costs a reading
-- of all chats in the build that learns of a code, and nothing in others. A build that reads all loads has them above.
select
    affected.chat_id,
    chats.{{ columns | join(',\n    chats.') }},
    coalesce(chats.department_code, codes.department_code, chats.department_name) as department_id,
    affected.load_id
from (
    select
        named.chat_id,
        max(codes.load_id) as load_id
    from codes
    inner join (
        select chat_id, department_name, department_code from {{ ref('stg_b2chat__chats') }}
        union all
        select chat_id, department_name, department_code from {{ ref('stg_b2chat__chat_versions') }}
    ) as named on named.department_code is null and named.department_name = codes.department_name
    where codes.load_id > {{ low_watermark() }} and {{ low_watermark() }} > 0
    group by named.chat_id
) as affected
cross join lateral (
    select * from {{ ref('stg_b2chat__chats') }} as landed
    where landed.chat_id = affected.chat_id
    limit 1
) as chats
left join codes on chats.department_code is null and codes.department_name = chats.department_name
where chats.load_id <= {{ low_watermark() }}
