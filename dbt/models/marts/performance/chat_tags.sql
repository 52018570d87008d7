{{ config(
    materialized='incremental',
    unique_key='chat_id',
    meta={'placement': 'chat_id', 'affected_by': 'chats', 'affected_key': 'id'},
    indexes=[{'columns': ['tag_key', 'created_local_date']}, {'columns': ['load_id']}],
) }}

-- Agents type tags by hand: one tag in several spellings is one key.
with tags as (
    select
        chats.id as chat_id,
        {{ folded_text('tag.label') }} as tag_key,
        {{ clean_text('tag.label') }} as tag_label,
        tag.position,
        chats.created_local_date,
        chats.load_id
    from {{ ref('chats') }} as chats
    cross join lateral unnest(chats.tags) with ordinality as tag (label, position)
    where {{ load_window('chats') }} and not chats.is_deleted
)

select distinct on (chat_id, tag_key)
    chat_id,
    tag_key,
    tag_label,
    created_local_date,
    load_id
from tags
where tag_key is not null
order by chat_id, tag_key, position
