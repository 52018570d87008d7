with shown as (
    select * from {{ ref('int_heatmap_chats') }}
),

weeks as (
    select * from {{ ref('heatmap_weeks') }}
),

chats as (
    select * from {{ ref('chat_response_times') }}
),

ranked as (
    select
        *,
        row_number() over (
            partition by week_start, scope, scope_id, direction_filter, office_hours_filter, day_of_week, hour
            order by first_response_seconds desc, chat_id
        )::integer as slowest_rank
    from shown
),

compared as (
    select
        ranked.*,
        weeks.mean_first_response_seconds as week_mean_seconds,
        -- In a week whose mean is 0 every chat took 0 seconds.
        case
            when weeks.mean_first_response_seconds = 0 then 0
            else (ranked.first_response_seconds / weeks.mean_first_response_seconds - 1) * 100
        end as difference_to_week_mean_pct
    from ranked
    inner join weeks
        on weeks.week_start = ranked.week_start
        and weeks.scope = ranked.scope
        and weeks.scope_id = ranked.scope_id
        and weeks.direction_filter = ranked.direction_filter
        and weeks.office_hours_filter = ranked.office_hours_filter
)

select
    compared.week_start,
    case compared.scope when 'all' then 'all' when 'agent' then compared.scope_id end as agent_id,
    compared.direction_filter,
    compared.office_hours_filter,
    compared.day_of_week,
    compared.hour,
    compared.chat_id,
    agents.id as chat_agent_id,
    agents.name as chat_agent_name,
    chats.department_name,
    chats.channel,
    chats.status,
    chats.direction,
    chats.created_at,
    compared.first_response_seconds,
    compared.slowest_rank,
    compared.week_mean_seconds,
    compared.difference_to_week_mean_pct,
    case
        when compared.difference_to_week_mean_pct < -20 then 'better'
        when compared.difference_to_week_mean_pct > 20 then 'worse'
        when compared.difference_to_week_mean_pct is not null then 'average'
    end as performance,
    compared.scope,
    compared.scope_id,
    chats.source,
    chats.conversation_id
from compared
inner join chats on chats.chat_id = compared.chat_id
left join {{ ref('int_agents') }} as agents on agents.id = {{ credited_agent('first_response', 'chats') }}
