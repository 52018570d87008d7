{{ config(
    unique_key='chat_id',
    meta={
        'placement': 'chat_id',
        'affected_by': 'int_b2chat__message_origins',
        'partitioned_by': 'timestamp',
        'indexed_where': {
            'b2chat_message_id': 'b2chat_message_id is not null',
            'media_backed_up': 'media_backed_up',
        },
    },
    indexes=[
        {'columns': ['b2chat_message_id', 'timestamp'], 'unique': true},
        {'columns': ['chat_id', 'timestamp']},
        {'columns': ['chat_id', 'type']},
        {'columns': ['chat_id', 'incoming']},
        {'columns': ['type']},
        {'columns': ['media_backed_up']},
        {'columns': ['load_id']},
    ],
) }}

-- int_b2chat__message_origins names the affected chats; one that lost all its messages too.
with api_messages as (
    select * from {{ ref('stg_b2chat__messages') }}
    where {{ load_window('stg_b2chat__messages') }}
),

audited_chats as (
    select * from {{ ref('int_b2chat__message_origins') }}
    where message_source = 'audit_export' and {{ load_window('int_b2chat__message_origins') }}
),

messages as (
    select
        message_id, chat_id, position, b2chat_type, body, caption, is_incoming, is_broadcast, null::boolean as is_bot,
        created_at, loaded_at, 'api' as message_source, load_id
    from api_messages

    union all

    select
        audit.message_id, audit.chat_id, audit.position, audit.b2chat_type, audit.body, audit.caption,
        audit.is_incoming, audit.is_broadcast, audit.is_bot, audit.created_at, audit.loaded_at,
        audited_chats.message_source, audited_chats.load_id
    from audited_chats
    -- OFFSET makes Postgres look each chat's up by key: joined, it would read every message of the export.
    cross join lateral (
        select * from {{ ref('stg_b2chat__audit_messages') }} as landed
        where landed.chat_id = audited_chats.chat_id
        {{ planner_fence() }}
    ) as audit
    where audit.created_at is not null
),

typed as (
    select
        *,
        case
            when b2chat_type = 'TEXT' then 'text'
            when b2chat_type in ('IMAGE', 'STICKER') then 'image'
            when b2chat_type in ('FILE', 'AUDIO', 'VIDEO') then 'file'
            else {{ lower_text('b2chat_type') }}
        end as type,
        case b2chat_type
            when 'TEXT' then 'text'
            when 'AUDIO' then 'voice'
            when 'IMAGE' then 'image'
            when 'STICKER' then 'image'
            when 'VIDEO' then 'video'
            when 'FILE' then 'file'
            else 'other'
        end as content_type,
        body ~* '^https?://' as is_link
    from messages
)

select
    message_id as id,
    chat_id,
    null::text as b2chat_message_id,
    -- A type that B2Chat adds later may well be text: its words are kept, unless the body is the address of a medium.
    case when type = 'text' or (content_type = 'other' and not is_link) then body end as text,
    type,
    is_incoming as incoming,
    case when type = 'image' then body end as image_url,
    case when type = 'file' or (content_type = 'other' and is_link) then body end as file_url,
    caption,
    null::text as local_image_path,
    null::text as local_file_path,
    false as media_backed_up,
    null::integer as media_size,
    null::text as media_mime_type,
    created_at as timestamp,
    loaded_at as last_sync_at,

    position,
    is_broadcast,
    b2chat_type,
    content_type,
    is_bot,
    message_source,
    load_id
from typed
