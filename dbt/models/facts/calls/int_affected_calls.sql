-- A call is affected by the load that brought it, an offer of it, or its agent's status after it; and by the load that shows that
-- nothing more was heard of it.
select
    id as call_id,
    load_id
from {{ ref('calls') }}

union all

select
    call_id,
    load_id
from {{ ref('call_offers') }}
where call_id is not null

union all

select
    calls.id as call_id,
    changes.load_id
from {{ ref('agent_status_changes') }} as changes
inner join {{ ref('calls') }} as calls
    on calls.agent_id = changes.agent_id
    and calls.ended_at <= changes.changed_at
    and calls.ended_at > changes.changed_at - {{ max_session_time() }}

union all

select
    calls.id as call_id,
    loads.load_id
from {{ ref('int_call_loads') }} as loads
inner join {{ ref('calls') }} as calls
    on calls.silent_at <= loads.known_until
    and calls.silent_at > loads.known_until_before
