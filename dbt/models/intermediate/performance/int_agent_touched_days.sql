-- Which load changed what an agent did or held on a local day.
select
    local_date,
    load_id
from {{ ref('int_performance_touched_days') }}

union all

select
    local_date,
    load_id
from {{ ref('int_hold_touched_days') }}
