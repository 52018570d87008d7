{{ config(
    materialized='incremental',
    unique_key='chat_id',
    meta={'placement': 'chat_id', 'affected_by': 'int_b2chat__chat_versions'},
    indexes=[{'columns': ['chat_id'], 'unique': true}, {'columns': ['load_id']}],
) }}

-- One pass over the versions in the order of their chats: joined to each other they would not fit into memory.
with versions as (
    select
        chat_id,
        opened_at,
        picked_up_at,
        responded_at,
        closed_at,
        {{ dictionary_status('b2chat_status') }} in ('open', 'pending') as is_open,
        is_newest,
        load_id,
        max(opened_at) filter (where is_newest) over of_chat as newest_opened_at,
        max(greatest(opened_at, picked_up_at, responded_at)) over of_chat as last_at
    from {{ ref('int_b2chat__chat_versions') }}
    where chat_id in (
        select chat_id from {{ ref('int_b2chat__chat_versions') }} as affected
        where {{ load_window('affected') }}
    )
    window of_chat as (partition by chat_id)
),

-- A transfer or a reopening moves picked_up_at; what came first stays first. A chat that was opened again is timed from
-- its newest opening, so what lies before that counts only where nothing later is known.
chats as (
    select
        chat_id,
        min(opened_at) as opened_from,
        coalesce(min(picked_up_at), min(responded_at)) as human_from,
        coalesce(
            min(picked_up_at) filter (where picked_up_at >= newest_opened_at), max(picked_up_at) filter (where is_newest)
        ) as first_picked_up_at,
        coalesce(
            min(responded_at) filter (where responded_at >= newest_opened_at), max(responded_at) filter (where is_newest)
        ) as first_response_at,
        max(closed_at) filter (where is_newest) as closed_at,
        bool_or(is_open) filter (where is_newest) as is_open,
        max(load_id) filter (where is_newest) as load_id
    from versions
    group by chat_id
    having bool_or(is_newest)
),

closings as (
    select
        chat_id,
        closed_at
    from versions
    where closed_at < last_at
),

-- A chat is open again where a time of its says so; an answer counts for one only while the chat is open.
openings as (
    select
        versions.chat_id,
        opening.opened_at
    from versions
    cross join lateral (
        values
        (versions.opened_at),
        (versions.picked_up_at),
        (case when versions.is_open then versions.responded_at end)
    ) as opening (opened_at)
    where versions.chat_id in (select chat_id from closings)
),

pauses as (
    select
        closings.chat_id,
        closings.closed_at,
        min(openings.opened_at) as opened_at
    from closings
    inner join openings on openings.chat_id = closings.chat_id and openings.opened_at > closings.closed_at
    group by closings.chat_id, closings.closed_at
),

paused as (
    select
        chat_id,
        max(closed_at) as last_paused_at,
        range_agg(tstzrange(closed_at, opened_at, '()')) as pauses
    from pauses
    group by chat_id
)

select
    chats.chat_id,
    -- An opening after people had the chat is not its first one: that was not seen.
    case when chats.opened_from <= chats.human_from or chats.human_from is null then chats.opened_from end as opened_from,
    chats.human_from,
    chats.first_picked_up_at,
    chats.first_response_at,
    paused.pauses,
    case
        when not chats.is_open and (paused.last_paused_at < chats.closed_at or paused.last_paused_at is null)
            then chats.closed_at
    end as ended_at,
    chats.load_id
from chats
left join paused on paused.chat_id = chats.chat_id
