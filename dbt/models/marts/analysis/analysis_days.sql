select
    chats.analysis_id,
    chats.created_local_date as local_date,
    count(*)::integer as chat_count,
    count(chats.first_response_seconds)::integer as first_response_count,
    {%- for percentile in [50, 90] %}
    case when mixed.analysis_id is null then
        percentile_cont({{ percentile / 100 }}) within group (order by chats.first_response_seconds)
    end as p{{ percentile }}_first_response_seconds,
    {%- endfor %}
    count(*) filter (where sla.wall_state in ('met', 'breached'))::integer as sla_judged_count,
    {{ sla_rate("count(*) filter (where sla.wall_state = 'met')", "count(*) filter (where sla.wall_state = 'breached')") }}
        as sla_rate
from {{ ref('analysis_chats') }} as chats
left join {{ ref('sla_chats') }} as sla on sla.chat_id = chats.chat_id and sla.metric = 'overall'
{{ join_mixed_analyses('chats') }}
group by chats.analysis_id, mixed.analysis_id, chats.created_local_date
