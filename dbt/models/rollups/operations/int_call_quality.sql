{{ config(
    materialized='incremental',
    unique_key=['subject', 'day'],
    tags=['calls'],
    indexes=[{'columns': ['day', 'subject', 'rule'], 'unique': true}],
) }}

{#- A session that changes affects its neighbours and the statuses in it; days of agents are those of another zone. -#}
{%- set days_of_agents = "select near.day::date as day from " ~ ref('int_affected_call_agent_days') ~ " as agents "
    ~ "cross join lateral generate_series(agents.local_date - interval '1 day', agents.local_date + interval '1 day', "
    ~ "interval '1 day') as near (day) where " ~ load_window('agents') %}

{%- set given %}
-- Sessions that last into a day began on it or on the one before. Of two at once the one counts that began later.
sessions as (
    select
        id,
        agent_id,
        starts_at,
        ends_at,
        is_end_inferred,
        coalesce(
            max(ends_at) over (
                partition by agent_id order by starts_at, id rows between unbounded preceding and 1 preceding
            ) > starts_at,
            false
        ) as is_overlapping
    from {{ ref('int_agent_sessions') }}
    where id = any(array(
        select known.id
        from {{ ref('agent_sessions') }} as known
        where known.created_local_date = any(array(
            select unnest(array[affected.day - 1, affected.day]) from affected
            where affected.subject in ('agent sessions', 'agent statuses')
        ))
    ))
),

statuses as (
    select
        id,
        coalesce(
            max(ends_at) over (
                partition by agent_id order by happened_at, id nulls first rows between unbounded preceding and current row
            ) >= happened_at,
            false
        ) as is_signed_in,
        coalesce(changed_at = lead(changed_at) over (partition by agent_id, id is null order by changed_at, id), false) as is_tied
    from (
        select
            null as id,
            agent_id,
            starts_at as happened_at,
            ends_at,
            null::timestamptz as changed_at
        from sessions

        union all

        select
            id,
            agent_id,
            date_trunc('second', changed_at) as happened_at,
            null as ends_at,
            changed_at
        from {{ ref('agent_status_changes') }}
        where not is_deleted
            and created_local_date = any(array(select day from affected where subject = 'agent statuses'))
    ) as activities
),
{% endset %}

{{ broken_rules_by_day({
    'calls': {
        'relation': 'calls',
        'joins': "left join " ~ ref('int_call_times') ~ " as times on times.call_id = checked.id",
        'rules': {
            'unknown_value': true, 'unknown_country': true, 'from_the_future': true,
            'answered_before_created': true, 'ended_before_answered': true, 'ended_before_created': true,
            'answered_twice': "times.quality_rules like '%answered_twice%'",
            'offer_outside_pool': "times.quality_rules like '%offer_outside_pool%'",
            'completed_without_answer': "times.quality_rules like '%completed_without_answer%'",
            'reconnect_token_twice': "times.quality_rules like '%reconnect_token_twice%'",
            'accepted_without_end': 'times.is_orphaned',
            'call_without_pageview': 'checked.pageview_id is null' if var('calls_have_pageviews') else 'false',
        },
        'affected': "select calls.created_local_date as day from " ~ ref('int_call_times') ~ " as times inner join "
            ~ ref('calls') ~ " as calls on calls.id = times.call_id where " ~ load_window('times'),
    },
    'call offers': {'relation': 'call_offers', 'rules': {'unknown_value': true, 'decided_before_offered': true}},
    'widget pageviews': {
        'relation': 'widget_pageviews',
        'rules': {
            'unknown_country': true, 'popup_before_pageview': true, 'popup_dismissed_before_shown': true, 'from_the_future': true,
            'late_pageview': true,
            'late_for_archive': "exists (select 1 from " ~ source('ops', 'archives') ~ " as archives "
                ~ "where archives.table_name in ('calls.widget_pageviews', 'raw.calls_widget_pageviews') "
                ~ "and archives.month = date_trunc('month', checked.created_at at time zone 'UTC')::date "
                ~ "and archives.exported_at < checked.updated_at)",
        },
    },
    'visits': {
        'relation': 'visits',
        'key': 'checked.visit_id',
        'day': 'local_date',
        'where': 'true',
        'rules': {'bot': 'checked.is_bot', 'bot_suspected': 'checked.is_bot_suspected'},
        'affected': "select days.local_date as day from " ~ ref('int_affected_funnel_days') ~ " as days where " ~ load_window('days'),
    },
    'agent sessions': {
        'relation': 'agent_sessions',
        'joins': 'left join sessions on sessions.id = checked.id',
        'rules': {
            'unknown_value': true, 'session_ended_before_started': true, 'session_too_long': true,
            'session_overlap': 'sessions.is_overlapping',
            'session_without_end': 'sessions.is_end_inferred',
        },
        'affected': days_of_agents,
    },
    'agent statuses': {
        'relation': 'agent_status_changes',
        'joins': 'left join statuses on statuses.id = checked.id',
        'rules': {
            'unknown_value': true, 'from_the_future': true,
            'status_tie': 'statuses.is_tied',
            'status_without_session': "checked.status <> 'offline' and not statuses.is_signed_in",
        },
        'affected': days_of_agents,
    },
    'call organizations': {
        'relation': 'call_directory',
        'where': "not checked.is_deleted and checked.kind = 'organization'",
        'rules': {'unknown_timezone': true},
    },
}, given) }}
