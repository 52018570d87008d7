-- Who has a heatmap: all, each agent and department, and of channels and of chats without a department what there is.
select
    'all' as scope,
    'all' as scope_id,
    'all' as scope_name

union all

select
    scope,
    scope_id,
    scope_name
from {{ ref('int_scope_names') }}

union all

select distinct
    scope,
    scope_id,
    scope_id as scope_name
from {{ ref('int_traffic_cells') }}
where scope = 'channel' or (scope = 'department' and scope_id = 'none')
