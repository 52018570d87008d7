{{ config(
    materialized='incremental',
    unique_key='chat_id',
    meta={'placement': 'chat_id', 'affected_by': 'int_b2chat__chat_versions'},
    indexes=[{'columns': ['chat_id'], 'unique': true}, {'columns': ['load_id']}],
) }}

with versions as (
    select * from {{ ref('int_b2chat__chat_versions') }}
    where chat_id in (
        select chat_id from {{ ref('int_b2chat__chat_versions') }} as affected
        where {{ load_window('affected') }}
    )
),

newest as (
    select
        *,
        {{ dictionary_status('b2chat_status') }} in ('open', 'pending') as is_open
    from versions
    where is_newest
),

-- A transfer or a reopening moves picked_up_at; what came first stays first. A chat that was opened again is timed from
-- its newest opening, so what lies before that counts only where nothing later is known.
firsts as (
    select
        newest.chat_id,
        min(versions.opened_at) as opened_from,
        coalesce(min(versions.picked_up_at), min(versions.responded_at)) as human_from,
        min(versions.picked_up_at) filter (where versions.picked_up_at >= newest.opened_at) as picked_up_at,
        min(versions.responded_at) filter (where versions.responded_at >= newest.opened_at) as responded_at
    from newest
    inner join versions on versions.chat_id = newest.chat_id
    group by newest.chat_id
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
        (case when {{ dictionary_status('versions.b2chat_status') }} in ('open', 'pending') then versions.responded_at end)
    ) as opening (opened_at)
),

pauses as (
    select
        versions.chat_id,
        versions.closed_at,
        min(openings.opened_at) as opened_at
    from versions
    inner join openings on openings.chat_id = versions.chat_id and openings.opened_at > versions.closed_at
    group by versions.chat_id, versions.closed_at
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
    newest.chat_id,
    -- An opening after people had the chat is not its first one: that was not seen.
    case when firsts.opened_from <= firsts.human_from or firsts.human_from is null then firsts.opened_from end as opened_from,
    firsts.human_from,
    coalesce(firsts.picked_up_at, newest.picked_up_at) as first_picked_up_at,
    coalesce(firsts.responded_at, newest.responded_at) as first_response_at,
    paused.pauses,
    case
        when not newest.is_open and (paused.last_paused_at < newest.closed_at or paused.last_paused_at is null)
            then newest.closed_at
    end as ended_at,
    newest.load_id
from newest
inner join firsts on firsts.chat_id = newest.chat_id
left join paused on paused.chat_id = newest.chat_id
