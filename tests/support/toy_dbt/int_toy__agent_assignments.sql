select
    {{ source_key('toy', 'id') }} as chat_id,
    1 as assignment_number,
    {{ source_key('toy', 'agent') }} as agent_id,
    null::text as previous_agent_id,
    '-infinity'::timestamptz as assigned_from,
    'infinity'::timestamptz as assigned_to,
    load_id
from {{ ref('int_toy__notes') }}
