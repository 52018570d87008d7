-- The pools of calls: a pool is the department of its calls.
select
    {{ source_key('calls', 'id') }} as id,
    name,
    load_id
from {{ ref('call_directory') }}
where kind = 'pool'
