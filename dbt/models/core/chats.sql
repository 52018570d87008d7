{{ config(
    unique_key='id',
    meta={'placement': 'id', 'affected_by': 'int_b2chat__audited_chats', 'affected_key': 'chat_id'},
    indexes=[
        {'columns': ['b2chat_id'], 'unique': true},
        {'columns': ['agent_id', 'created_at']},
        {'columns': ['contact_id', 'created_at']},
        {'columns': ['department_id', 'created_at']},
        {'columns': ['provider', 'created_at']},
        {'columns': ['status', 'priority', 'last_modified_at']},
        {'columns': ['agent_id', 'status', 'created_at']},
        {'columns': ['is_deleted']},
        {'columns': ['last_modified_at']},
        {'columns': ['alias']},
        {'columns': ['tags'], 'type': 'gin'},
        {'columns': ['priority']},
        {'columns': ['topic']},
        {'columns': ['unread_count']},
        {'columns': ['load_id']},
    ],
) }}

-- The payload's messages are large, so they are not carried along: only whether there are any.
with chats as (
    select
        chat_id, agent_id, contact_id, department_id, is_department_unreadable, provider, b2chat_status, priority, alias,
        tags, is_agent_available, is_outgoing, reported_duration, created_at, opened_at, picked_up_at, responded_at,
        closed_at, deleted_at, deletion_reason, version, loaded_at, load_id,
        coalesce({{ json_value('messages') }}, '[]'::jsonb) = '[]'::jsonb as is_without_messages
    from {{ ref('int_b2chat__audited_chats') }}
    where {{ load_window('int_b2chat__audited_chats') }}
),

milestones as (
    select * from {{ ref('int_b2chat__chat_milestones') }}
    where chat_id in (select chat_id from chats)
),

-- Who wrote first, by time and then by place in the list, and how much the customer wrote.
messages as (
    select
        chat_id,
        (array_agg(
            case when incoming then 'customer' when is_broadcast then 'broadcast' else 'agent' end
            order by timestamp, position
        ))[1] as first_sender,
        count(*) filter (where incoming) as incoming_count
    from {{ ref('messages') }}
    where incoming is not null and chat_id in (select chat_id from chats)
    group by chat_id
),

begun as (
    select
        chats.*,
        {{ local_time('chats.created_at') }} as local_created_at,
        coalesce(messages.incoming_count, 0) as incoming_count,
        coalesce(messages.first_sender, case when chats.is_without_messages then 'nobody' end) as first_sender
    from chats
    left join messages on messages.chat_id = chats.chat_id
),

-- The broadcast is the first message, so whatever the customer wrote came after it.
directed as (
    select
        *,
        coalesce(first_sender = 'broadcast' and incoming_count > 0, false) as is_converted,
        case
            when first_sender = 'broadcast' and incoming_count > 0 then 'incoming'
            when first_sender = 'broadcast' and is_outgoing is not false then 'outgoing_broadcast'
            when is_outgoing then 'outgoing'
            when not is_outgoing then 'incoming'
            when first_sender = 'customer' then 'incoming'
            when first_sender in ('agent', 'nobody') then 'outgoing'
            else 'unknown'
        end as direction,
        case
            when is_outgoing is not null then 'audit_export'
            when first_sender = 'customer' then 'first_message_incoming'
            when first_sender = 'broadcast' and incoming_count > 0 then 'broadcast_answered'
            when first_sender = 'broadcast' then 'first_message_broadcast'
            when first_sender = 'agent' then 'first_message_agent'
            when first_sender = 'nobody' then 'inferred_no_messages'
            else 'unknown'
        end as direction_source
    from begun
)

select
    directed.chat_id as id,
    directed.chat_id as b2chat_id,
    directed.agent_id,
    directed.contact_id,
    directed.department_id,
    directed.provider,
    {{ dictionary_status('directed.b2chat_status') }} as status,
    directed.is_agent_available,
    directed.alias,
    directed.tags,
    coalesce(directed.priority, 'normal') as priority,
    null::text as topic,
    null::integer as unread_count,
    null::text as resolution_note,
    directed.created_at,
    directed.opened_at,
    directed.picked_up_at,
    directed.responded_at as response_at,
    directed.closed_at,
    {{ elapsed_seconds('directed.opened_at', 'directed.closed_at') }} as duration,
    directed.deleted_at is not null as is_deleted,
    directed.deleted_at,
    directed.deletion_reason,
    null::timestamptz as last_modified_at,
    directed.loaded_at as last_sync_at,
    directed.version as sync_version,

    directed.b2chat_status,
    directed.is_department_unreadable,
    directed.reported_duration,
    milestones.first_picked_up_at,
    milestones.first_response_at,
    milestones.opened_from,
    milestones.human_from,
    milestones.pauses,
    milestones.ended_at,
    directed.direction,
    case when directed.is_converted then 'outgoing_broadcast' end as original_direction,
    directed.is_converted,
    directed.direction_source,
    directed.local_created_at::date as created_local_date,
    extract(hour from directed.local_created_at)::integer as created_local_hour,
    extract(dow from directed.local_created_at)::integer as created_day_of_week,
    date_trunc('week', directed.local_created_at)::date as created_week_start,
    directed.load_id
from directed
left join milestones on milestones.chat_id = directed.chat_id
