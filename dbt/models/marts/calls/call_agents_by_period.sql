-- A view over the days of its periods: who reads one period pays for that.
{%- set statuses = ['available', 'in_call', 'wrap_up', 'busy', 'away', 'offline', 'unknown'] %}
{%- set counts = ['answered', 'offer', 'accepted', 'declined', 'missed_offer'] %}
with summed as (
    select
        periods.period,
        periods.period_start,
        members.agent_id,
        sum(days.signed_in_seconds)::bigint as signed_in_seconds,
        {%- for status in statuses %}
        sum(days.{{ status }}_seconds)::bigint as {{ status }}_seconds,
        {%- endfor %}
        {%- for name in counts %}
        sum(days.{{ name }}_count)::integer as {{ name }}_count,
        {%- endfor %}
        sum(days.talk_seconds_sum)::bigint as talk_seconds_sum,
        sum(days.wrap_seconds_sum)::bigint as wrap_seconds_sum
    from {{ ref('int_call_periods') }} as periods
    inner join {{ ref('int_call_agent_days') }} as days on days.local_date between periods.period_start and periods.period_end
    cross join lateral (values (days.agent_id), ('all')) as members (agent_id)
    group by periods.period, periods.period_start, members.agent_id
),

shared as (
    select
        *,
        (in_call_seconds + wrap_up_seconds)::double precision
            / nullif(in_call_seconds + wrap_up_seconds + available_seconds, 0) as occupancy_share,
        (in_call_seconds + wrap_up_seconds + available_seconds)::double precision
            / nullif(signed_in_seconds, 0) as utilization_share
    from summed
)

select
    shared.period,
    shared.period_start,
    shared.agent_id,
    coalesce(agents.name, shared.agent_id) as agent_name,
    shared.signed_in_seconds,
    {%- for status in statuses %}
    shared.{{ status }}_seconds,
    {%- endfor %}
    shared.occupancy_share,
    shared.utilization_share,
    shared.occupancy_share > {{ var('call_occupancy_limit') }} as is_overloaded,
    shared.answered_count,
    shared.talk_seconds_sum,
    shared.wrap_seconds_sum,
    shared.offer_count,
    shared.accepted_count,
    shared.declined_count,
    shared.missed_offer_count,
    shared.accepted_count::double precision / nullif(shared.offer_count, 0) as offer_accept_rate
from shared
left join {{ ref('call_directory') }} as agents
    on agents.kind = 'agent' and {{ source_key('calls', 'agents.id') }} = shared.agent_id
