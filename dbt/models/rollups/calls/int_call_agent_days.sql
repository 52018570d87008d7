{{ config(
    materialized='incremental',
    unique_key='local_date',
    meta={'affected_by': 'int_affected_call_agent_days'},
    indexes=[{'columns': ['agent_id', 'local_date']}],
) }}

-- depends_on: {{ ref('int_affected_call_agent_days') }}

{%- set counted = {
    'calls': ['answered_count', 'talk_seconds_sum', 'wrap_seconds_sum'],
    'offers': [
        'offer_count', 'accepted_count', 'declined_count', 'missed_offer_count', 'withdrawn_count', 'decision_count',
        'decision_seconds_sum'
    ],
} %}
{%- set statuses = ['available', 'in_call', 'wrap_up', 'busy', 'away', 'offline', 'unknown'] %}

with affected_days as (
    select distinct local_date
    from {{ ref('int_affected_call_agent_days') }} as affected
    where {{ load_window('affected') }}
),

agents as materialized (
    select
        agents.id as agent_id,
        coalesce(organizations.timezone, '{{ account_timezone() }}') as timezone
    from {{ ref('call_directory') }} as agents
    left join {{ ref('call_directory') }} as organizations
        on organizations.kind = 'organization' and organizations.id = agents.organization_id
    where agents.kind = 'agent'
),

zones as (
    select distinct timezone from agents
),

days as materialized (
    select
        affected_days.local_date,
        zones.timezone,
        affected_days.local_date::timestamp at time zone zones.timezone as starts_at,
        (affected_days.local_date + 1)::timestamp at time zone zones.timezone as ends_at
    from affected_days
    cross join zones
),

windows as materialized (
    {{- windows_of('affected_days', 'zones') }}
),

sessions as materialized (
    select distinct sessions.*
    from windows
    inner join {{ ref('int_agent_sessions') }} as sessions
        on sessions.started_at >= windows.starts_at - {{ max_session_time() }} and sessions.started_at < windows.ends_at
),

-- Two tabs are one presence; what touches goes on.
presence as materialized (
    {{- merged_spans('(select agent_id, starts_at, ends_at from sessions where ends_at > starts_at) as sessions', 'agent_id') }}
),

-- A status lasts to the next one or the end of the presence; before the first one it is not known.
told as (
    {{- statuses_while_present('presence') }}
),

intervals as (
    select
        agent_id,
        status,
        changed_at as starts_at,
        lead(changed_at, 1, present_until) over (partition by agent_id, number order by changed_at, id) as ends_at
    from told
),

seconds as (
    select
        days.local_date,
        intervals.agent_id
        {%- for status in statuses %},
        coalesce(sum(part.seconds) filter (where intervals.status = '{{ status }}'), 0)::integer as {{ status }}_seconds
        {%- endfor %}
    from intervals
    inner join agents on agents.agent_id = intervals.agent_id
    inner join days
        on days.timezone = agents.timezone
        and days.starts_at < intervals.ends_at
        and days.ends_at > intervals.starts_at
    cross join lateral (
        select date_part('epoch', least(intervals.ends_at, days.ends_at) - greatest(intervals.starts_at, days.starts_at)) as seconds
    ) as part
    where intervals.ends_at > intervals.starts_at
    group by days.local_date, intervals.agent_id
),

session_days as (
    select
        days.local_date,
        sessions.agent_id,
        count(*)::integer as session_count,
        bool_or(sessions.is_end_inferred) as is_end_inferred,
        bool_or(sessions.is_cut) as is_cut
    from sessions
    inner join agents on agents.agent_id = sessions.agent_id
    inner join days
        on days.timezone = agents.timezone
        and days.starts_at < greatest(sessions.ends_at, sessions.starts_at + interval '1 second')
        and days.ends_at > sessions.starts_at
    group by days.local_date, sessions.agent_id
),

offers as (
    {{- offers_by_day('days', 'agents') }}
),

calls as (
    select
        created_local_date as local_date,
        substr(agent_id, length({{ source_key('calls', "''") }}) + 1) as agent_id,
        count(*) filter (where outcome = 'answered')::integer as answered_count,
        coalesce(sum(talk_seconds), 0)::bigint as talk_seconds_sum,
        coalesce(sum(wrap_seconds), 0)::bigint as wrap_seconds_sum
    from {{ ref('int_call_times') }}
    where agent_id is not null
        and created_local_date = any(array(select local_date from affected_days))
        and not is_deleted
    group by created_local_date, agent_id
),

activities as (
    select
        days.local_date,
        activities.agent_id,
        min(activities.happened_at) as first_sign_at,
        max(activities.happened_at) as last_sign_at
    from (
        select agent_id, changed_at as happened_at from told where id <> ''

        union all

        select agent_id, starts_at as happened_at from sessions

        union all

        select offers.agent_id, offers.decided_at as happened_at
        from windows
        inner join {{ ref('call_offers') }} as offers
            on offers.offered_at >= windows.starts_at and offers.offered_at < windows.ends_at
        where offers.outcome in ('accepted', 'declined') and not offers.is_deleted
    ) as activities
    inner join agents on agents.agent_id = activities.agent_id
    inner join days
        on days.timezone = agents.timezone
        and activities.happened_at >= days.starts_at
        and activities.happened_at < days.ends_at
    group by days.local_date, activities.agent_id
),

members as (
    {%- for relation in ['seconds', 'session_days', 'offers', 'calls'] %}
    select local_date, agent_id from {{ relation }}
    {{- '
    union distinct' if not loop.last }}
    {%- endfor %}
)

select
    members.local_date,
    {{ source_key('calls', 'members.agent_id') }} as agent_id,
    coalesce(session_days.session_count, 0) as session_count,
    {%- for status in statuses %}
    coalesce(seconds.{{ status }}_seconds, 0) as {{ status }}_seconds,
    {%- endfor %}
    {% for status in statuses %}{{ ' + ' if not loop.first }}coalesce(seconds.{{ status }}_seconds, 0){% endfor %} as signed_in_seconds,
    coalesce(session_days.is_end_inferred, false) as is_end_inferred,
    coalesce(session_days.is_cut, false) as is_cut,
    {%- for relation, counts in counted.items() %}
    {%- for count in counts %}
    coalesce({{ relation }}.{{ count }}, 0) as {{ count }},
    {%- endfor %}
    {%- endfor %}
    activities.first_sign_at,
    activities.last_sign_at
from members
{%- for relation in ['seconds', 'session_days', 'offers', 'calls', 'activities'] %}
left join {{ relation }} using (local_date, agent_id)
{%- endfor %}
