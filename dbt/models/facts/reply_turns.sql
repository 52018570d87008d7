{{ config(
    materialized='incremental',
    unique_key='chat_id',
    meta={'placement': 'chat_id', 'affected_by': 'chat_response_times'},
    indexes=[{'columns': ['replied_local_date']}, {'columns': ['load_id']}],
) }}

with chats as (
    select * from {{ ref('chat_response_times') }}
    where {{ load_window('chat_response_times') }}
),

turns as (
    select * from {{ ref('int_customer_turns') }}
    where turn_number > 0
)

select
    chats.chat_id,
    chats.source,
    chats.conversation_id,
    turns.turn_number,
    {{ person_of('coalesce(assignments.agent_id, chats.agent_id)') }} as agent_id,
    chats.department_id,
    chats.channel,
    chats.direction,
    turns.first_customer_at,
    turns.last_customer_at,
    turns.replied_at,
    {{ local_time('turns.first_customer_at') }}::date as asked_local_date,
    {{ local_time('turns.replied_at') }}::date as replied_local_date,
    turns.reply_seconds,
    turns.reply_from_last_seconds,
    {{ business_seconds('asked_clock', 'turns.first_customer_at', 'replied_clock', 'turns.replied_at') }}
        as reply_business_seconds,
    {{ business_seconds('asked_last_clock', 'turns.last_customer_at', 'replied_clock', 'turns.replied_at') }}
        as reply_from_last_business_seconds,
    turns.customer_message_count,
    turns.agent_message_count,
    turns.replied_at is not null as is_answered,
    chats.is_deleted,
    chats.load_id
from chats
inner join turns on turns.chat_id = chats.chat_id
{{ join_clock('asked_clock', 'chats.calendar', 'turns.first_customer_at') }}
{{ join_clock('asked_last_clock', 'chats.calendar', 'turns.last_customer_at') }}
{{ join_clock('replied_clock', 'chats.calendar', 'turns.replied_at') }}
{{ join_assignment('assignments', 'turns.chat_id', 'turns.replied_at') }}
