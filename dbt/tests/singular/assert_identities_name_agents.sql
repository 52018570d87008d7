{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'int_source_agents'}}}) }}

-- A row of the seed that names nobody does nothing: a slip of the pen, or an agent who has had no conversation yet.
select
    identities.person,
    identities.source,
    identities.agent_id
from {{ ref('agent_identities') }} as identities
left join {{ ref('int_source_agents') }} as agents
    on agents.source = identities.source and agents.source_agent_id = identities.agent_id
where agents.id is null
