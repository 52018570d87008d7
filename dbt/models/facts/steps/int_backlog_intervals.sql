{{ config(
    materialized='incremental',
    unique_key='chat_id',
    meta={'placement': 'chat_id', 'affected_by': 'int_affected_conversations', 'falls_due': 'left_at'},
    indexes=[
        {'columns': ['chat_id', 'state', 'entered_at']},
        {'columns': ['entered_at']},
        {'columns': ['left_at']},
        {'columns': ['load_id']},
        {'columns': ['superseded_by_load_id']},
    ],
    pre_hook="{{ forget_superseded(read_by=['int_backlog_hours', 'int_backlog_days']) }}",
) }}

{%- set key = [
    'chat_id', 'state', 'entered_at', 'left_at', 'is_opening', 'is_closing', 'agent_id', 'department_id', 'channel', 'source'
] | join(', ') %}

with chats as (
    {{- conversations_told_anew() }}),

-- A chat that its status calls open is open, whatever closed_at says (it was closed before and opened again). One that
-- is closed at a time that is not known can be counted at no time.
open_chats as (
    select
        chat_id,
        agent_id,
        department_id,
        channel,
        source,
        created_at,
        greatest(opened_at, created_at) as entered_at,
        case when status not in ('open', 'pending') then closed_at end as left_at,
        least(picked_up_at, response_at) as taken_at
    from chats
    where opened_at is not null
        and created_at is not null
        and not is_deleted
        and (status <> 'closed' or closed_at is not null)
),

own_times as (
    select chat_id, created_at as happened_at from open_chats
    union distinct
    select chat_id, happened_at from {{ ref('int_events') }}
    where event in ('opened', 'picked_up', 'responded', 'closed') and {{ is_of('open_chats') }}
),

-- A chat is in work for stale_days after each of its events, and stale at all other times. That it will be stale is known
-- beforehand, so that nobody has to look at it again when it becomes so.
own_work as (
    select
        chat_id,
        range_agg(tstzrange(happened_at, happened_at + {{ stale_after() }})) as in_work
    from own_times
    group by chat_id
),

message_work as (
    select
        chat_id,
        tstzmultirange(tstzrange(min(first_message_at), max(last_message_at) + {{ stale_after() }}))
            - coalesce(range_agg(silences), '{}') as in_work
    from {{ ref('int_customer_turns') }}
    where {{ is_of('open_chats') }} and first_message_at is not null
    group by chat_id
),

worked_chats as (
    select
        open_chats.*,
        own_work.in_work + coalesce(message_work.in_work, '{}') as in_work
    from open_chats
    inner join own_work on own_work.chat_id = open_chats.chat_id
    left join message_work on message_work.chat_id = open_chats.chat_id
),

states as (
    select
        chat_id,
        'open' as state,
        entered_at,
        left_at
    from open_chats

    union all

    select
        chat_id,
        'waiting_for_pickup' as state,
        entered_at,
        least(taken_at, left_at) as left_at
    from open_chats

    union all

    select
        open_chats.chat_id,
        'waiting_for_answer' as state,
        greatest(turns.first_customer_at, open_chats.entered_at) as entered_at,
        least(turns.replied_at, open_chats.left_at) as left_at
    from open_chats
    inner join {{ ref('int_customer_turns') }} as turns on turns.chat_id = open_chats.chat_id
    where turns.first_customer_at is not null
),

-- What is stale of a chat is counted apart and in none of the other states.
parts as (
    select
        states.chat_id,
        part.state,
        lower(part.span) as entered_at,
        upper(part.span) as left_at,
        worked_chats.entered_at as opened_at,
        worked_chats.left_at as closed_at,
        worked_chats.agent_id,
        worked_chats.department_id,
        worked_chats.channel,
        worked_chats.source
    from states
    inner join worked_chats on worked_chats.chat_id = states.chat_id
    cross join lateral (
        select
            states.state,
            unnest(tstzmultirange(tstzrange(states.entered_at, states.left_at)) * worked_chats.in_work) as span

        union all

        select
            'stale' as state,
            unnest(tstzmultirange(tstzrange(states.entered_at, states.left_at)) - worked_chats.in_work) as span
        where states.state = 'open'
    ) as part
    where states.left_at > states.entered_at or states.left_at is null
),

-- Most waits are over before the hour is; only of open chats are those counted that came and went within one.
told as (
    select
        chat_id,
        state,
        entered_at,
        left_at,
        state = 'open' and entered_at = opened_at as is_opening,
        state in ('open', 'stale') and coalesce(left_at = closed_at, false) as is_closing,
        {{ person_of('agent_id') }} as agent_id,
        department_id,
        channel,
        source
    from parts
    where state in ('open', 'stale') or left_at is null or {{ hour_of('left_at') }} > {{ hour_of('entered_at') }}
),

{{ known_new_and_gone(key) }}

-- What a load tells anew changes the backlog of its moments, and nothing else does: a chat that stands open for years costs
-- nothing while nothing happens to it.
select
    new.*,
    chats.told_load_id as load_id,
    null::bigint as superseded_by_load_id
from new
inner join chats on chats.chat_id = new.chat_id

union all

-- What no longer holds stays, with the load that showed it, until what counts the backlog has taken it off.
select
    known.{{ key | replace(', ', ', known.') }},
    known.load_id,
    case when gone.chat_id is null then known.superseded_by_load_id else chats.told_load_id end as superseded_by_load_id
from known
inner join chats on chats.chat_id = known.chat_id
left join gone
    on known.superseded_by_load_id is null
    and gone.chat_id = known.chat_id
    and gone.state = known.state
    and gone.entered_at = known.entered_at
