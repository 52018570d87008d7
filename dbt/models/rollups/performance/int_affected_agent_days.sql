-- Which load changed what an agent did on a local day.
select
    local_date,
    load_id
from {{ ref('int_affected_performance_days') }}

union all

-- The day after shows what it is compared with.
select
    local_date + 1 as local_date,
    load_id
from {{ ref('int_affected_performance_days') }}

union all

select
    local_date,
    load_id
from {{ ref('int_affected_activity_days') }}
