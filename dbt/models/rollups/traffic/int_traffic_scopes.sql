-- Who has a heatmap: all, each agent and department, and of channels and of chats without a department what there is.
with recursive cells as not materialized (
    select * from {{ ref('int_traffic_cells') }}
),

-- From one channel to the next by the key: years of cells are not read to learn of a handful.
channels as (
    select min(scope_id) as scope_id from cells
    where scope = 'channel'

    union all

    select (
        select min(cells.scope_id) from cells
        where cells.scope = 'channel' and cells.scope_id > channels.scope_id
    )
    from channels
    where channels.scope_id is not null
)

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

select
    'department' as scope,
    'none' as scope_id,
    'none' as scope_name
where exists (select 1 from cells where scope = 'department' and scope_id = 'none')

union all

select
    'channel' as scope,
    scope_id,
    scope_id as scope_name
from channels
where scope_id is not null
