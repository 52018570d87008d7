-- The agents of calls.
select
    {{ source_key('calls', 'id') }} as id,
    name,
    load_id
from {{ ref('call_directory') }}
where kind = 'agent'
