{%- set local = local_time('created_at') -%}
-- Conversations in support rooms in the shape that all sources share: a view of one table, as int_b2chat__conversations.
select
    'rooms' as source,
    chat_id as conversation_id,
    chat_id,
    'room' as channel,
    agent_id,
    contact_id,
    department_id,
    status,
    'normal' as priority,
    direction,
    null::text as original_direction,
    direction_source,
    false as is_converted,
    created_at,
    opened_at,
    picked_up_at,
    response_at,
    closed_at,
    greatest(picked_up_at, response_at) as last_agent_action_at,
    -- Robots and people answer in one room: who wrote to the robot waits from then, until a person answers.
    least(created_at, opened_at) as opened_from,
    picked_up_at as human_from,
    pauses,
    case when status = 'closed' then closed_at end as ended_at,
    {{ local }}::date as created_local_date,
    extract(hour from {{ local }})::integer as created_local_hour,
    extract(dow from {{ local }})::integer as created_day_of_week,
    date_trunc('week', {{ local }})::date as created_week_start,
    is_deleted,
    load_id
from {{ ref('int_room_clock') }}
