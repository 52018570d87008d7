select
    'all' as scope,
    'all' as scope_id,
    'all' as scope_name

union all

select
    'agent' as scope,
    id as scope_id,
    name as scope_name
from {{ ref('agents') }}

union all

select
    'department' as scope,
    id as scope_id,
    name as scope_name
from {{ ref('departments') }}

union all

select distinct
    'channel' as scope,
    scope_id,
    scope_id as scope_name
from {{ ref('int_traffic_cells') }}
where scope = 'channel'
