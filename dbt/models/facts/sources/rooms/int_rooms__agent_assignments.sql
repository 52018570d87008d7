{{ config(
    materialized='incremental',
    unique_key='chat_id',
    meta={'affected_by': 'int_room_clock'},
    indexes=[{'columns': ['chat_id', 'assignment_number'], 'unique': true}, {'columns': ['load_id']}],
) }}

with chats as (
    select * from {{ ref('int_room_clock') }} as clock
    where {{ load_window('clock') }} and picked_up_at is not null and not is_deleted
),

-- Messages name who wrote them: whoever writes has the conversation, until another agent does.
taken as (
    select
        chat_id,
        pickup_agent_id as agent_id,
        picked_up_at as taken_at,
        0 as position
    from chats

    union all

    select
        chats.chat_id,
        {{ source_key('rooms', 'messages.sender_id') }} as agent_id,
        messages.sent_at as taken_at,
        messages.position
    from chats
    inner join {{ ref('int_room_messages') }} as messages
        on messages.chat_id = chats.chat_id and messages.side = 'agent' and messages.sent_at >= chats.picked_up_at
),

compared as (
    select
        *,
        lag(agent_id) over (partition by chat_id order by position) as agent_before_id,
        row_number() over (partition by chat_id, agent_id order by position) as time_of_agent
    from taken
),

changed as (
    select * from compared
    where agent_id is distinct from agent_before_id
)

select
    changed.chat_id,
    row_number() over history::integer as assignment_number,
    changed.agent_id,
    -- Two who take turns do not hand it over each time: it is handed over to whoever has it for the first time.
    case when changed.time_of_agent = 1 then changed.agent_before_id end as previous_agent_id,
    case when row_number() over history = 1 then '-infinity' else changed.taken_at end as assigned_from,
    lead(changed.taken_at, 1, 'infinity') over history as assigned_to,
    chats.load_id
from changed
inner join chats on chats.chat_id = changed.chat_id
window history as (partition by changed.chat_id order by changed.position)
