{%- set local = local_time('created_at') -%}
-- Calls in the shape that all sources share: a view of one table, as int_b2chat__conversations. A call is opened when it is asked
-- for; who answers it takes it and answers at once.
select
    'calls' as source,
    chat_id as conversation_id,
    chat_id,
    'call' as channel,
    agent_id,
    {{ source_key('calls', 'visitor_key') }} as contact_id,
    pool_id as department_id,
    case when outcome = 'waiting' or is_live then 'open' else 'closed' end as status,
    'normal' as priority,
    'incoming' as direction,
    null::text as original_direction,
    'call' as direction_source,
    false as is_converted,
    created_at,
    created_at as opened_at,
    answered_at as picked_up_at,
    answered_at as response_at,
    ended_at as closed_at,
    answered_at as last_agent_action_at,
    created_at as opened_from,
    answered_at as human_from,
    null::tstzmultirange as pauses,
    -- One whose end is not known does not stay open for ever.
    coalesce(ended_at, given_up_at) as ended_at,
    {{ local }}::date as created_local_date,
    extract(hour from {{ local }})::integer as created_local_hour,
    extract(dow from {{ local }})::integer as created_day_of_week,
    date_trunc('week', {{ local }})::date as created_week_start,
    is_deleted,
    load_id
from {{ ref('int_call_times') }}
