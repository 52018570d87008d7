-- A view: who an agent is is decided where facts are made, and here it is told.
select
    agent_id,
    agent_name,
    source,
    source_agent_id,
    id as source_agent_key,
    source_agent_name,
    identified_by
from {{ ref('int_agent_identities') }}
