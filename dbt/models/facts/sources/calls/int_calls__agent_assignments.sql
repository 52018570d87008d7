-- Who answers a call has it to its end.
select
    chat_id,
    1 as assignment_number,
    agent_id,
    null::text as previous_agent_id,
    '-infinity'::timestamptz as assigned_from,
    'infinity'::timestamptz as assigned_to,
    load_id
from {{ ref('int_call_times') }}
where agent_id is not null
