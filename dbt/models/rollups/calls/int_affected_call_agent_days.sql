-- Days of agents, in their organization's zone, of which it changed who was signed in, in which status, and what they were offered.
with agents as (
    select
        agents.id as agent_id,
        coalesce(organizations.timezone, '{{ account_timezone() }}') as timezone
    from {{ ref('call_directory') }} as agents
    left join {{ ref('call_directory') }} as organizations
        on organizations.kind = 'organization' and organizations.id = agents.organization_id
    where agents.kind = 'agent'
),

changes as (
    select
        agent_id,
        ever_from as changed_from,
        ever_to as changed_to,
        load_id
    from {{ ref('agent_sessions') }}
    where ever_to is not null

    union all

    -- A status lasts as long as a session does at most.
    select
        agent_id,
        changed_at as changed_from,
        changed_at + {{ max_session_time() }} as changed_to,
        load_id
    from {{ ref('agent_status_changes') }}

    union all

    select
        agent_id,
        offered_at as changed_from,
        coalesce(decided_at, offered_at) as changed_to,
        load_id
    from {{ ref('call_offers') }}

    union all

    select
        sessions.agent_id,
        sessions.ever_from as changed_from,
        loads.known_until as changed_to,
        loads.load_id
    from {{ ref('int_call_loads') }} as loads
    inner join {{ ref('agent_sessions') }} as sessions
        on sessions.started_at < loads.known_until
        and sessions.started_at > loads.known_until_before
            - {{ max_session_time() }} - interval '{{ var('session_silent_hours') | int }} hours'
    where sessions.ended_at is null
)

select
    day::date as local_date,
    changes.load_id
from changes
left join agents on agents.agent_id = changes.agent_id
cross join lateral generate_series(
    (changes.changed_from at time zone coalesce(agents.timezone, '{{ account_timezone() }}'))::date::timestamp,
    changes.changed_to at time zone coalesce(agents.timezone, '{{ account_timezone() }}'),
    interval '1 day'
) as day

union all

select
    created_local_date as local_date,
    load_id
from {{ ref('int_call_times') }}
