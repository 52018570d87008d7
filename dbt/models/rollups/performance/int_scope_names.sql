-- Names of agents and departments are joined where they are read: a renamed one needs no rebuild. Other scopes' ids
-- are their names.
select
    'agent' as scope,
    id as scope_id,
    name as scope_name
from {{ ref('int_agents') }}
where id = agent_id

union all

select
    'department' as scope,
    id as scope_id,
    name as scope_name
from {{ ref('int_departments') }}
