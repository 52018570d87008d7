{{ config(
    materialized='incremental',
    unique_key='chat_id',
    meta={'placement': 'chat_id', 'affected_by': 'int_conversations'},
    indexes=[{'columns': ['chat_id', 'turn_number'], 'unique': true}, {'columns': ['load_id']}],
) }}

with chats as (
    select
        chat_id,
        opened_from,
        human_from,
        pauses,
        ended_at,
        load_id
    from {{ ref('int_conversations') }} as conversations
    where {{ load_window('conversations') }}
),

messages as (
    select
        messages.chat_id,
        messages.sent_at,
        messages.position,
        messages.is_incoming,
        -- The API does not say who wrote an outgoing message. One before the first pick-up is a bot's, one after the close
        -- a survey's or a farewell: neither is a reply.
        not messages.is_incoming
            and not messages.is_broadcast
            and messages.is_bot is not true
            and messages.sent_at >= chats.human_from
            and messages.sent_at <= coalesce(chats.ended_at, 'infinity')
            and (chats.pauses is null or not messages.sent_at <@ chats.pauses) as is_reply,
        -- Nobody waits for a person before the chat is open to people, nor after its end.
        case
            when not messages.is_incoming or messages.sent_at > chats.ended_at then null
            when messages.sent_at < chats.opened_from then chats.opened_from
            when messages.sent_at <@ chats.pauses then (
                select upper(pause) from unnest(chats.pauses) as pause
                where messages.sent_at <@ pause
            )
            else messages.sent_at
        end as waits_from
    from (
        select * from {{ ref('int_messages') }}
        where is_incoming is not null and {{ is_of('chats') }}
    ) as messages
    inner join chats on chats.chat_id = messages.chat_id
),

counted as (
    select
        *,
        count(*) filter (where is_reply) over (
            partition by chat_id order by sent_at, position
            rows between unbounded preceding and 1 preceding
        ) as replies_before,
        lag(sent_at) over (partition by chat_id order by sent_at, position) as previous_at
    from messages
),

-- What was written up to and including one reply; the customer messages in it are answered by that reply.
exchanges as (
    select
        chat_id,
        replies_before,
        count(*) filter (where is_incoming) as customer_message_count,
        count(*) filter (where not is_incoming) as outgoing_message_count,
        count(*) filter (where is_reply) as agent_message_count,
        min(waits_from) as first_customer_at,
        max(waits_from) as last_customer_at,
        min(sent_at) filter (where is_reply) as replied_at,
        min(sent_at) as first_message_at,
        max(sent_at) as last_message_at,
        range_agg(tstzrange(previous_at + {{ stale_after() }}, sent_at))
            filter (where sent_at > previous_at + {{ stale_after() }}) as silences
    from counted
    group by chat_id, replies_before
),

-- An agent who writes again before the customer does still answers the same turn.
numbered as (
    select
        *,
        count(first_customer_at) over (partition by chat_id order by replies_before)::integer as turn_number
    from exchanges
),

turns as (
    select
        chat_id,
        turn_number,
        sum(customer_message_count)::integer as customer_message_count,
        sum(outgoing_message_count)::integer as outgoing_message_count,
        sum(agent_message_count)::integer as agent_message_count,
        min(first_customer_at) as first_customer_at,
        min(last_customer_at) as last_customer_at,
        min(replied_at) filter (where first_customer_at is not null) as replied_at,
        -- An exchange ends with an agent's message. Ranges of one instant each: dbt cannot add an array to a table.
        range_agg(tstzrange(replied_at, replied_at, '[]')) filter (where replied_at is not null) as agent_message_times,
        min(first_message_at) as first_message_at,
        max(last_message_at) as last_message_at,
        range_agg(silences) as silences
    from numbered
    group by chat_id, turn_number
)

select
    chats.chat_id,
    coalesce(turns.turn_number, 0) as turn_number,
    coalesce(turns.customer_message_count, 0) as customer_message_count,
    coalesce(turns.outgoing_message_count, 0) as outgoing_message_count,
    coalesce(turns.agent_message_count, 0) as agent_message_count,
    turns.first_customer_at,
    turns.last_customer_at,
    turns.replied_at,
    {{ seconds_between('turns.first_customer_at', 'turns.replied_at') }} as reply_seconds,
    {{ seconds_between('turns.last_customer_at', 'turns.replied_at') }} as reply_from_last_seconds,
    turns.agent_message_times,
    turns.first_message_at,
    turns.last_message_at,
    turns.silences,
    chats.load_id
from chats
left join turns on turns.chat_id = chats.chat_id
