-- A view: names are those of the newest load, and business times those of the common facts.
select
    times.call_id,
    times.chat_id as conversation_id,
    times.created_local_date,
    times.created_local_hour,
    times.created_day_of_week,
    times.organization_id,
    organizations.name as organization_name,
    times.site_id,
    sites.name as site_name,
    times.pool_id,
    pools.name as pool_name,
    times.agent_id,
    agents.name as agent_name,
    times.disposition_id,
    dispositions.name as disposition_name,
    dispositions.is_success,
    times.country,
    times.visitor_key,
    times.is_anonymous,
    times.status,
    times.outcome,
    times.created_at,
    times.ring_started_at,
    times.answered_at,
    times.ended_at,
    times.ended_by,
    times.answer_seconds,
    times.ring_seconds,
    times.wait_seconds,
    times.talk_seconds,
    times.wrap_seconds,
    times.handle_seconds,
    facts.response_business_seconds as answer_business_seconds,
    case when times.wait_seconds is not null then facts.resolution_business_seconds end as wait_business_seconds,
    case when times.talk_seconds is not null then facts.handling_business_seconds end as talk_business_seconds,
    times.is_judged,
    times.is_answered_in_time,
    times.is_live,
    times.is_orphaned,
    times.pageview_id is not null as has_pageview,
    times.offer_count,
    times.declined_count,
    times.timeout_count,
    times.reconnect_count,
    times.quality_rules,
    times.is_deleted
from {{ ref('int_call_times') }} as times
left join {{ ref('chat_response_times') }} as facts on facts.chat_id = times.chat_id
left join {{ ref('call_directory') }} as organizations
    on organizations.kind = 'organization' and {{ source_key('calls', 'organizations.id') }} = times.organization_id
left join {{ ref('call_directory') }} as sites
    on sites.kind = 'site' and {{ source_key('calls', 'sites.id') }} = times.site_id
left join {{ ref('call_directory') }} as pools
    on pools.kind = 'pool' and {{ source_key('calls', 'pools.id') }} = times.pool_id
left join {{ ref('call_directory') }} as agents
    on agents.kind = 'agent' and {{ source_key('calls', 'agents.id') }} = times.agent_id
left join {{ ref('call_directory') }} as dispositions
    on dispositions.kind = 'disposition' and {{ source_key('calls', 'dispositions.id') }} = times.disposition_id
