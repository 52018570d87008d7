{{ config(
    materialized='incremental',
    unique_key='local_date',
    meta={'affected_by': 'int_affected_coverage_days'},
    indexes=[{'columns': ['scope', 'scope_id', 'local_date']}],
) }}

-- depends_on: {{ ref('int_affected_coverage_days') }}

{%- set counts = ['pageview_count', 'popup_count', 'call_count'] %}

-- Each with its zone: the account's for all, else that of the organization.
with scopes as materialized (
    select
        row_number() over (order by scope, scope_id)::integer as scope_number,
        scope,
        scope_id,
        timezone
    from (
        select 'all' as scope, 'all' as scope_id, '{{ account_timezone() }}' as timezone

        union all

        select
            members.kind as scope,
            {{ source_key('calls', 'members.id') }} as scope_id,
            coalesce(organizations.timezone, '{{ account_timezone() }}') as timezone
        from {{ ref('call_directory') }} as members
        left join {{ ref('call_directory') }} as organizations
            on organizations.kind = 'organization' and organizations.id = members.organization_id
        where members.kind in ('organization', 'pool')
    ) as members
),

{% if is_incremental() -%}
affected_days as (
    select distinct local_date
    from {{ ref('int_affected_coverage_days') }} as affected
    where {{ load_window('affected') }}
),

-- Neighbouring days are swept at once.
windows as materialized (
    {{- windows_of('affected_days', '(select distinct timezone from scopes)') }}
),
{%- else -%}
windows as materialized (
    select distinct
        timezone,
        '-infinity'::timestamptz as starts_at,
        'infinity'::timestamptz as ends_at
    from scopes
),
{%- endif %}

-- A session that two windows find stands twice here; what follows asks only whether there is one. Sessions are short (they
-- are cut), so that those of a day are found by when they began.
sessions as materialized (
    select sessions.agent_id, sessions.organization_id, sessions.starts_at, sessions.ends_at
    from {{ ref('int_agent_sessions') }} as sessions
    {%- if is_incremental() %}
    inner join windows
        on sessions.started_at >= windows.starts_at - {{ max_session_time() }} and sessions.started_at < windows.ends_at
    {%- endif %}
    where sessions.ends_at > sessions.starts_at
),

-- By number, for Postgres sorts texts slowly.
agents as materialized (
    select
        agent_id,
        max(organization_id) as organization_id,
        row_number() over (order by agent_id)::integer as agent_number
    from sessions
    group by agent_id
),

numbered_sessions as materialized (
    select
        agents.agent_number,
        sessions.starts_at,
        sessions.ends_at
    from sessions
    inner join agents on agents.agent_id = sessions.agent_id
),

-- An agent with two tabs is there once.
presence as materialized (
    select agent_number, starts_at, ends_at
    from (
        {{- stretches_of('numbered_sessions', 'agent_number') }}
    ) as stretches
    where span_count > 0
),

members as materialized (
    {{- members_of_scopes('agents', 'scopes') }}
),

spans as materialized (
    select
        members.scope_number,
        greatest(presence.starts_at, members.member_from, windows.starts_at) as starts_at,
        least(presence.ends_at, members.member_to, windows.ends_at) as ends_at
    from presence
    inner join members on members.agent_number = presence.agent_number
    inner join windows
        on windows.timezone = members.timezone
        and windows.starts_at < presence.ends_at
        and windows.ends_at > presence.starts_at
    where greatest(presence.starts_at, members.member_from, windows.starts_at)
        < least(presence.ends_at, members.member_to, windows.ends_at)
),

-- What visitors asked for in the same time: in the sweep it changes nothing, and finds how many were there.
suspects as materialized (
    {{- suspected_bots('windows') }}
),

asked as (
    {{- asked_of_scopes('windows', 'scopes', 'suspects') }}
),

events as (
    select scope_number, starts_at as happened_at, 1 as change, 0 as pageview_count, 0 as popup_count, 0 as call_count
    from spans

    union all

    select scope_number, ends_at, -1, 0, 0, 0 from spans

    union all

    select scope_number, happened_at, 0, {{ counts | join(', ') }} from asked
),

stretches as (
    {{- swept('events', 'scope_number', ['change'] + counts) }}
),

quarters as (
    select
        *,
        {{ quarters_of('starts_at', "case when span_count = 0 or ends_at = starts_at then starts_at + interval '1 microsecond' else ends_at end") }} as quarter
    from stretches
    where (span_count > 0 and ends_at > starts_at) or change = 0
),

-- What was asked for counts once, where the stretch that begins with it begins.
by_quarter as (
    select
        scope_number,
        quarter,
        sum({{ seconds_in_quarter('quarter', 'starts_at', 'ends_at') }}) filter (where span_count > 0) as covered_seconds,
        sum(span_count * {{ seconds_in_quarter('quarter', 'starts_at', 'ends_at') }}) filter (where span_count > 0) as agent_seconds,
        max(span_count) as peak_agent_count
        {%- for count in counts %},
        sum({{ count }}) filter (where quarter <= starts_at) as {{ count }},
        sum({{ count }}) filter (where quarter <= starts_at and span_count = 0) as uncovered_{{ count }}
        {%- endfor %}
    from quarters
    group by scope_number, quarter
),

hours as (
    select
        by_quarter.scope_number,
        date_trunc('hour', by_quarter.quarter at time zone scopes.timezone) as local_hour,
        round(coalesce(sum(by_quarter.covered_seconds), 0))::integer as covered_seconds,
        round(coalesce(sum(by_quarter.agent_seconds), 0))::bigint as agent_seconds,
        max(by_quarter.peak_agent_count)::integer as peak_agent_count
        {%- for count in counts %},
        coalesce(sum(by_quarter.{{ count }}), 0)::integer as {{ count }},
        coalesce(sum(by_quarter.uncovered_{{ count }}), 0)::integer as uncovered_{{ count }}
        {%- endfor %}
    from by_quarter
    inner join scopes on scopes.scope_number = by_quarter.scope_number
    group by by_quarter.scope_number, local_hour
)

select
    hours.local_hour::date as local_date,
    extract(hour from hours.local_hour)::integer as hour,
    scopes.scope,
    scopes.scope_id,
    scopes.timezone,
    {{ hour_begins('hours.local_hour', 'scopes.timezone') }} as hour_starts_at,
    {{ seconds_between(
        hour_begins('hours.local_hour', 'scopes.timezone'),
        hour_begins("(hours.local_hour + interval '1 hour')", 'scopes.timezone')
    ) }} as hour_seconds,
    hours.covered_seconds,
    hours.agent_seconds,
    hours.peak_agent_count
    {%- for count in counts %},
    hours.{{ count }},
    hours.uncovered_{{ count }}
    {%- endfor %}
from hours
inner join scopes on scopes.scope_number = hours.scope_number
