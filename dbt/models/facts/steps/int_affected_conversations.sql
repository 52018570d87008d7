-- A conversation is affected by the load that brought its current version, and by the load that showed who its agents are.
select
    chat_id,
    load_id
from {{ ref('int_conversations') }}

union all

select
    chat_id,
    load_id
from {{ ref('int_identity_changes') }}
