-- Who has a heatmap: all, each agent and department, and of channels, sources and chats without a department what there is.
with recursive cells as not materialized (
    select * from {{ ref('int_traffic_cells') }}
),

-- From one member to the next by the key: years of cells are not read to learn of a handful.
members as (
    select
        scopes.scope,
        (select min(cells.scope_id) from cells where cells.scope = scopes.scope) as scope_id
    from (values ('channel'), ('source')) as scopes (scope)

    union all

    select
        members.scope,
        (
            select min(cells.scope_id) from cells
            where cells.scope = members.scope and cells.scope_id > members.scope_id
        )
    from members
    where members.scope_id is not null
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
    scope,
    scope_id,
    scope_id as scope_name
from members
where scope_id is not null
