select
    days.local_date,
    days.agent_id,
    coalesce(agents.name, days.agent_id) as agent_name,
    days.session_count,
    days.signed_in_seconds,
    {%- for status in ['available', 'in_call', 'wrap_up', 'busy', 'away', 'offline', 'unknown'] %}
    days.{{ status }}_seconds,
    {%- endfor %}
    (days.in_call_seconds + days.wrap_up_seconds)::double precision
        / nullif(days.in_call_seconds + days.wrap_up_seconds + days.available_seconds, 0) as occupancy_share,
    (days.in_call_seconds + days.wrap_up_seconds + days.available_seconds)::double precision
        / nullif(days.signed_in_seconds, 0) as utilization_share,
    days.answered_count,
    days.talk_seconds_sum,
    days.wrap_seconds_sum,
    days.first_sign_at,
    days.last_sign_at,
    days.is_end_inferred,
    days.is_cut
from {{ ref('int_call_agent_days') }} as days
left join {{ ref('call_directory') }} as agents
    on agents.kind = 'agent' and {{ source_key('calls', 'agents.id') }} = days.agent_id
