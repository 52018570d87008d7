{{ config(
    unique_key='id',
    meta={'affected_by': 'int_audited_chats', 'affected_key': 'chat_id'},
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

with chats as (
    select * from {{ ref('int_audited_chats') }}
    where {{ load_window('int_audited_chats') }}
),

message_facts as (
    select * from {{ ref('int_chat_message_facts') }}
    where {{ load_window('int_chat_message_facts') }}
),

milestones as (
    select * from {{ ref('int_chat_milestones') }}
    where chat_id in (select chat_id from chats)
),

localized as (
    select
        *,
        {{ local_time('created_at') }} as local_created_at
    from chats
)

select
    localized.chat_id as id,
    localized.chat_id as b2chat_id,
    localized.agent_id,
    localized.contact_id,
    localized.department_id,
    localized.provider,
    {{ dictionary_status('localized.b2chat_status') }} as status,
    localized.is_agent_available,
    localized.alias,
    localized.tags,
    coalesce(localized.priority, 'normal') as priority,
    null::text as topic,
    null::integer as unread_count,
    null::text as resolution_note,
    localized.created_at,
    localized.opened_at,
    localized.picked_up_at,
    localized.responded_at as response_at,
    localized.closed_at,
    {{ elapsed_seconds('localized.opened_at', 'localized.closed_at') }} as duration,
    localized.deleted_at is not null as is_deleted,
    localized.deleted_at,
    localized.deletion_reason,
    null::timestamptz as last_modified_at,
    localized.loaded_at as last_sync_at,
    localized.version as sync_version,

    localized.b2chat_status,
    localized.is_department_unreadable,
    localized.reported_duration,
    milestones.first_picked_up_at,
    milestones.first_response_at,
    message_facts.direction,
    message_facts.original_direction,
    message_facts.direction = 'incoming' and message_facts.original_direction is not null as is_converted,
    message_facts.direction_source,
    localized.local_created_at::date as created_local_date,
    extract(hour from localized.local_created_at)::integer as created_local_hour,
    extract(dow from localized.local_created_at)::integer as created_day_of_week,
    date_trunc('week', localized.local_created_at)::date as created_week_start,
    localized.load_id
from localized
inner join message_facts on message_facts.chat_id = localized.chat_id
left join milestones on milestones.chat_id = localized.chat_id
