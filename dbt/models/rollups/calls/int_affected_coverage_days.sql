-- Days of whose hours it changed who was signed in or what was asked for, with the load that changed it; in the account's zone
-- and in the organization's, for a scope has its own. A session touches the days on which it was ever counted.
{%- set account = account_timezone() %}
with zones as (
    select
        id as organization_id,
        timezone
    from {{ ref('call_directory') }}
    where kind = 'organization'
),

changes as (
    select organization_id, ever_from as changed_from, ever_to as changed_to, load_id
    from {{ ref('agent_sessions') }}
    where ever_to is not null
    {%- for relation in ['calls', 'widget_pageviews'] %}

    union all

    select organization_id, created_at as changed_from, created_at as changed_to, load_id
    from {{ ref(relation) }}
    where created_at is not null
    {%- endfor %}

    union all

    select sessions.organization_id, sessions.ever_from, sessions.ever_to, members.load_id
    from {{ ref('call_pool_members') }} as members
    inner join {{ ref('agent_sessions') }} as sessions
        on sessions.agent_id = members.agent_id and sessions.ever_to > members.changed_from

    union all

    -- Who is still signed in is so until the newest load, or was not since a silence that the load shows.
    select sessions.organization_id, sessions.ever_from, loads.known_until, loads.load_id
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
left join zones on zones.organization_id = changes.organization_id
cross join lateral (values ('{{ account }}'), (nullif(zones.timezone, '{{ account }}'))) as own (timezone)
cross join lateral generate_series(
    (changes.changed_from at time zone own.timezone)::date::timestamp,
    changes.changed_to at time zone own.timezone,
    interval '1 day'
) as day
where own.timezone is not null
