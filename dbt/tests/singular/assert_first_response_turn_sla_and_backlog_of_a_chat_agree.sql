{{ config(meta={'dagster': {'ref': {'name': 'sla_chats'}}}) }}

-- First response, the turn that it answered, SLA and backlog tell one story of a chat: nobody waits for a person before the
-- first known opening, and where the turn that waited since the opening was answered by B2Chat's first response, all
-- of them show the same seconds. Only the chats of the last build.
with new_chats as (
    select chat_id from {{ ref('chat_response_times') }}
    where not is_deleted
        {%- if not var('test_everything') %}
        and {{ is_new_row('chat_response_times') }}
        {%- endif %}
),

chats as (
    select * from {{ ref('chat_response_times') }}
    where {{ is_of('new_chats') }}
),

firsts as (
    select
        chats.*,
        turns.reply_seconds,
        milestones.opened_from,
        turns.first_customer_at,
        turns.first_customer_at = chats.opened_at and turns.replied_at = chats.response_at as is_first_response
    from chats
    inner join {{ ref('int_b2chat__chat_milestones') }} as milestones on milestones.chat_id = chats.chat_id
    inner join {{ ref('reply_turns') }} as turns on turns.chat_id = chats.chat_id
)

select
    chat_id,
    'a customer waits before the chat is open' as problem
from firsts
where first_customer_at < opened_from

union all

select
    chat_id,
    'the reply to the first turn is not the first response' as problem
from firsts
where is_first_response and reply_seconds <> first_response_seconds

union all

select
    firsts.chat_id,
    'the SLA judges another time, or another agent' as problem
from firsts
inner join {{ ref('sla_chats') }} as sla on sla.chat_id = firsts.chat_id and sla.metric = 'first_response'
where sla.actual_seconds <> firsts.first_response_seconds
    or sla.agent_id <> firsts.first_response_agent_id

union all

select
    firsts.chat_id,
    'the backlog waits for another time' as problem
from firsts
inner join {{ ref('int_backlog_intervals') }} as intervals
    on intervals.chat_id = firsts.chat_id
    and intervals.state = 'waiting_for_answer'
    and intervals.entered_at = firsts.opened_at
    and intervals.superseded_by_load_id is null
where firsts.is_first_response
    and firsts.created_at <= firsts.opened_at
    and firsts.closed_at >= firsts.response_at
    and intervals.left_at <> firsts.response_at
