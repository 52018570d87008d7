{{ config(
    materialized='incremental',
    incremental_strategy='touched_keys',
    unique_key='chat_id',
    on_schema_change='append_new_columns',
    meta={'touched_by': 'chat_response_times'},
    indexes=[{'columns': ['replied_local_date']}, {'columns': ['load_id']}],
) }}

with chats as (
    select * from {{ ref('chat_response_times') }}
    where {{ load_window('chat_response_times') }}
),

turns as (
    select * from {{ ref('int_customer_turns') }}
    where turn_number > 0
),

-- The history is named at each use: a CTE that is used twice is worked out whole.
agents_seen as (
    select
        history.chat_id,
        history.version,
        history.new_value as agent_id,
        history.observed_at
    from chats
    inner join {{ ref('chat_status_history') }} as history on history.chat_id = chats.chat_id
    where history.field = 'agent' and history.new_value is not null
        -- The others never had another agent than the chat's.
        and chats.chat_id in (
            select chat_id from {{ ref('chat_status_history') }}
            where field = 'agent' and not is_initial
        )
),

pickups as (
    select * from {{ ref('chat_status_history') }}
    where field = 'status' and new_value = 'PICKED_UP'
),

-- The API does not say when a chat went to another agent: at that one's pick-up, if the same version tells of it, or
-- else when the transfer was seen. Until then the chat was the former agent's.
takeovers as (
    select
        agents_seen.chat_id,
        agents_seen.version,
        agents_seen.agent_id,
        max(least(pickups.event_at, agents_seen.observed_at)) over (
            partition by agents_seen.chat_id order by agents_seen.version
        ) as taken_at,
        row_number() over (partition by agents_seen.chat_id order by agents_seen.version) = 1 as is_first
    from agents_seen
    left join pickups on pickups.chat_id = agents_seen.chat_id and pickups.version = agents_seen.version
),

tenures as (
    select
        chat_id,
        agent_id,
        case when is_first then '-infinity' else taken_at end as had_from,
        lead(taken_at, 1, 'infinity') over (partition by chat_id order by version) as had_until
    from takeovers
)

select
    chats.chat_id,
    turns.turn_number,
    coalesce(tenures.agent_id, chats.agent_id) as agent_id,
    chats.department_id,
    chats.provider,
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
left join tenures
    on tenures.chat_id = turns.chat_id
    and turns.replied_at >= tenures.had_from
    and turns.replied_at < tenures.had_until
