{{ config(
    unique_key='id',
    indexes=[{'columns': ['message_id']}, {'columns': ['owner_id']}, {'columns': ['load_id']}],
) }}

with landed as (
    {{ newest_landed(ref('stg_rooms__chat_file_attachments'), 'message_created_at desc nulls last') }}
)

select
    id,
    message_id,
    message_created_at,
    file_manager_file_id,
    original_filename,
    file_size,
    mime_type,
    thumbnail_url,
    preview_available,
    owner_id,
    created_at,
    updated_at,
    {{ row_state('landed') }},
    load_id
from landed
