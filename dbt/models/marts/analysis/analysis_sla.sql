with judged as (
    select
        chats.analysis_id,
        sla.metric,
        clocks.clock,
        max(sla.target_seconds) as target_seconds,
        count(*) filter (where clocks.state = 'met')::integer as met_count,
        count(*) filter (where clocks.state = 'breached')::integer as breached_count,
        count(*) filter (where clocks.state = 'pending')::integer as pending_count
    from {{ ref('analysis_chats') }} as chats
    inner join {{ ref('sla_chats') }} as sla on sla.chat_id = chats.chat_id
    cross join lateral (values ('wall', sla.wall_state), ('business', sla.business_state)) as clocks (clock, state)
    group by chats.analysis_id, sla.metric, clocks.clock
)

select
    analysis_id,
    metric,
    clock,
    target_seconds,
    met_count,
    breached_count,
    pending_count,
    {{ sla_rate('met_count', 'breached_count') }} as rate
from judged
