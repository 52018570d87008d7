-- The chats that the agents of an analysis were at work on on its days, those of other filters too: that is their load.
with agents as (
    select
        analysis_id,
        scope_id as agent_id
    from {{ ref('int_analysis_chats') }}
    where scope = 'agent'
    group by analysis_id, scope_id
),

measured as (
    select
        agents.analysis_id,
        agents.agent_id,
        max(days.peak_chat_count) as peak_chat_count,
        sum(days.active_chat_seconds)::double precision / nullif(sum(days.active_seconds), 0) as mean_chat_count,
        count(days.local_date) filter (where days.active_seconds > 0) as active_day_count
    from agents
    inner join {{ source('analysis', 'customer_analyses') }} as analyses on analyses.id = agents.analysis_id
    left join {{ ref('int_agent_days') }} as days
        on days.agent_id = agents.agent_id
        and days.local_date between
        (analyses.filters ->> 'date_start')::date and (analyses.filters ->> 'date_end')::date
    group by agents.analysis_id, agents.agent_id
)

select
    measured.analysis_id,
    'agent' as scope,
    measured.agent_id as scope_id,
    'VOLUME' as metric_type,
    'operational' as category,
    kpis.metric_name,
    kpis.numeric_value::double precision as numeric_value,
    'chats' as unit,
    measured.active_day_count as count
from measured
cross join lateral (
    values
    ('concurrent_chats_peak', case when active_day_count > 0 then peak_chat_count end),
    ('concurrent_chats_average', mean_chat_count)
) as kpis (metric_name, numeric_value)
