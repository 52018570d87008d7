select
    chats.analysis_id,
    chats.created_local_date as local_date,
    count(*)::integer as chat_count,
    count(chats.first_response_seconds)::integer as first_response_count,
    percentile_cont(0.5) within group (order by chats.first_response_seconds) as p50_first_response_seconds,
    percentile_cont(0.9) within group (order by chats.first_response_seconds) as p90_first_response_seconds,
    count(*) filter (where sla.wall_state in ('met', 'breached'))::integer as sla_judged_count,
    {{ sla_rate("count(*) filter (where sla.wall_state = 'met')", "count(*) filter (where sla.wall_state = 'breached')") }}
        as sla_rate
from {{ ref('analysis_chats') }} as chats
left join {{ ref('sla_chats') }} as sla on sla.chat_id = chats.chat_id and sla.metric = 'overall'
group by chats.analysis_id, chats.created_local_date
