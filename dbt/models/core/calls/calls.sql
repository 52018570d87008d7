{{ config(
    unique_key='id',
    indexes=[
        {'columns': ['organization_id', 'created_at']},
        {'columns': ['created_at']},
        {'columns': ['agent_id', 'ended_at']},
        {'columns': ['visitor_key', 'created_at']},
        {'columns': ['silent_at']},
        {'columns': ['reconnect_key']},
        {'columns': ['created_local_date']},
        {'columns': ['load_id']},
    ],
) }}

with landed as (
    {{ newest_landed(ref('stg_calls__call_logs'), 'load_id desc, created_at desc nulls last') }}
)

select
    id,
    {{ source_key('calls', 'id') }} as chat_id,
    organization_id,
    agent_id,
    site_id,
    pool_id,
    disposition_id,
    visitor_id,
    pageview_id,
    status,
    page_url,
    visitor_country_code,
    reconnect_key,
    reconnect_eligible,
    reconnect_count,
    reconnect_deadline_at,
    ring_started_at,
    answered_at,
    ended_at,
    ended_by,
    created_at,
    updated_at,
    removed_at is not null as is_deleted,
    removed_at as deleted_at,
    loaded_at as last_sync_at,

    {{ country_code('visitor_country_code') }} as country,
    {{ visitor_key('visitor_id', "'call:' || id") }} as visitor_key,
    {{ previous_visitor_key('landed', "'call:' || landed.id") }} as previous_visitor_key,
    -- Nothing more is heard of it from then on, if nothing was before.
    case
        when ended_at is null
            then greatest(created_at, ring_started_at, answered_at, reconnect_deadline_at)
                + interval '{{ var('call_silent_hours') | int }} hours'
    end as silent_at,
    {{ is_from_the_future('created_at', 'landed') }} as is_from_the_future,
    {{ local_time('coalesce(created_at, loaded_at)') }}::date as created_local_date,
    {{ broken_rules({
        'unknown_value': has_unknown_value({'status': 'call_status', 'ended_by': 'call_ended_by'}),
        'unknown_country': "visitor_country_code is not null and " ~ country_code('visitor_country_code') ~ " = 'unknown'",
        'answered_before_created': 'answered_at < created_at',
        'ended_before_answered': 'ended_at < answered_at',
        'ended_before_created': 'ended_at < created_at',
        'from_the_future': is_from_the_future('created_at', 'landed'),
    }) }} as quality_rules,
    load_id
from landed
