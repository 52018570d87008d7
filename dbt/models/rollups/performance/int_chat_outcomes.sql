{{ config(
    materialized='incremental',
    unique_key='chat_id',
    meta={'placement': 'chat_id', 'affected_by': 'chats', 'affected_key': 'id'},
    indexes=[{'columns': ['chat_id'], 'unique': true}, {'columns': ['load_id']}],
) }}

with chats as (
    select * from {{ ref('chats') }} as chats
    where {{ load_window('chats') }}
),

-- A state that the chat passed through between two syncs is in its history only.
passed as (
    select
        chat_id,
        bool_or(new_value = 'BOT_CHATTING') as was_with_bot,
        bool_or(new_value = 'COMPLETED_POLL') as has_completed,
        bool_or(new_value = 'ABANDONED_POLL') as has_abandoned,
        bool_or(new_value = 'COMPLETING_POLL') as has_been_asked
    from {{ ref('chat_status_history') }}
    where field = 'status' and chat_id in (select id from chats)
    group by chat_id
),

broadcasts as (
    select
        chat_id,
        min(timestamp) as broadcast_at
    from {{ ref('messages') }}
    where is_broadcast and chat_id in (select id from chats)
    group by chat_id
),

answers as (
    select
        broadcasts.chat_id,
        min(messages.timestamp) as answered_at
    from broadcasts
    inner join {{ ref('messages') }} as messages
        on messages.chat_id = broadcasts.chat_id and messages.timestamp >= broadcasts.broadcast_at
    where messages.incoming
    group by broadcasts.chat_id
),

-- B2Chat does not say that a bot had the chat: it was seen there, or it entered the queue later than it was created, or
-- never. A chat that an agent started had no bot.
judged as (
    select
        chats.*,
        passed.has_completed,
        passed.has_abandoned,
        passed.has_been_asked,
        coalesce(passed.was_with_bot, false) or (
            chats.direction not in ('outgoing', 'outgoing_broadcast')
            and (
                chats.opened_at > chats.created_at
                or (chats.opened_at is null and chats.picked_up_at is null and chats.closed_at is not null)
            )
        ) as began_with_bot
    from chats
    left join passed on passed.chat_id = chats.id
)

select
    judged.id as chat_id,
    case
        when judged.closed_at is null then null
        when judged.has_completed then 'completed'
        when judged.has_abandoned then 'abandoned'
        when judged.b2chat_status = 'COMPLETING_POLL' then 'answering'
        when judged.has_been_asked then 'lapsed'
    end as survey_state,
    case
        when not judged.began_with_bot then null
        when judged.opened_at is null and judged.picked_up_at is null and judged.closed_at is not null then 'contained'
        when judged.opened_at is null and judged.picked_up_at is null then 'with_bot'
        when judged.picked_up_at is null and judged.closed_at is not null then 'lost_in_queue'
        else 'handed_over'
    end as bot_state,
    case when judged.began_with_bot then {{ elapsed_seconds('judged.created_at', 'judged.opened_at') }} end as bot_seconds,
    broadcasts.broadcast_at,
    {{ seconds_between('broadcasts.broadcast_at', 'answers.answered_at') }} as broadcast_answer_seconds,
    judged.load_id
from judged
left join broadcasts on broadcasts.chat_id = judged.id
left join answers on answers.chat_id = judged.id
