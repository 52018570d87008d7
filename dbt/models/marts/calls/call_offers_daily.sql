select
    days.local_date,
    days.agent_id,
    coalesce(agents.name, days.agent_id) as agent_name,
    days.offer_count,
    days.accepted_count,
    days.declined_count,
    days.missed_offer_count,
    days.withdrawn_count,
    days.accepted_count::double precision / nullif(days.offer_count, 0) as offer_accept_rate,
    days.decision_count,
    days.decision_seconds_sum::double precision / nullif(days.decision_count, 0) as mean_decision_seconds
from {{ ref('int_call_agent_days') }} as days
left join {{ ref('call_directory') }} as agents
    on agents.kind = 'agent' and {{ source_key('calls', 'agents.id') }} = days.agent_id
where days.offer_count > 0
