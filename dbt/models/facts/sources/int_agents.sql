-- A person's chats are found by the keys of each source; whoever reads a person has them under agent_id.
select
    id,
    agent_name as name,
    load_id,
    agent_id
from {{ ref('int_agent_identities') }}
