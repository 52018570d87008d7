{{ config(
    materialized='incremental',
    unique_key='local_date',
    meta={'affected_by': 'int_affected_room_days'},
) }}

-- depends_on: {{ ref('int_affected_room_days') }}

with affected_days as (
    select distinct local_date
    from {{ ref('int_affected_room_days') }} as affected
    where {{ load_window('affected') }}
),

messages as (
    select
        messages.id,
        messages.created_local_date as local_date,
        rooms.room_type,
        messages.is_counted
    from {{ ref('room_messages') }} as messages
    inner join {{ ref('rooms') }} as rooms on rooms.id = messages.room_id
    where messages.created_local_date = any(array(select local_date from affected_days))
),

written as (
    select
        messages.local_date,
        types.room_type,
        count(*) as message_count
    from messages
    cross join lateral (values (messages.room_type), ('all')) as types (room_type)
    where messages.is_counted
    group by messages.local_date, types.room_type
),

-- By the media type alone: a name says what its writer likes.
files as (
    select
        messages.local_date,
        types.room_type,
        classes.file_class,
        count(*) filter (where files.is_there) as file_count,
        coalesce(sum(files.file_size) filter (where files.is_there), 0) as byte_count,
        count(*) filter (where not files.is_there) as deleted_count,
        count(distinct messages.id) filter (where files.is_there) as file_message_count
    from messages
    inner join lateral (
        select
            attachments.file_size,
            not attachments.is_deleted and messages.is_counted as is_there,
            {{ file_class('attachments.mime_type') }} as file_class
        from {{ ref('room_attachments') }} as attachments
        where attachments.message_id = messages.id
    ) as files on true
    cross join lateral (values (messages.room_type), ('all')) as types (room_type)
    cross join lateral (values (files.file_class), ('all')) as classes (file_class)
    group by messages.local_date, types.room_type, classes.file_class
)

select
    files.local_date,
    files.room_type,
    files.file_class,
    files.file_count::integer as file_count,
    files.byte_count::bigint as byte_count,
    files.deleted_count::integer as deleted_count,
    files.file_message_count::integer as file_message_count,
    coalesce(written.message_count, 0)::integer as message_count,
    files.file_message_count::double precision / nullif(written.message_count, 0) as message_share
from files
left join written on written.local_date = files.local_date and written.room_type = files.room_type
