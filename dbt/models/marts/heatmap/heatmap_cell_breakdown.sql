with cell_chats as (
    select * from {{ ref('heatmap_cell_chats') }}
),

members as (
    select
        cell_chats.*,
        breakdown.dimension,
        breakdown.member,
        breakdown.member_label
    from cell_chats
    cross join lateral (
        values
        ('status', status, status),
        ('agent', coalesce(chat_agent_id, 'none'), coalesce(chat_agent_name, 'none'))
    ) as breakdown (dimension, member, member_label)
)

select
    week_start,
    min(agent_id) as agent_id,
    direction_filter,
    office_hours_filter,
    day_of_week,
    hour,
    dimension,
    member,
    min(member_label) as member_label,
    count(*)::integer as chat_count,
    sum(first_response_seconds)::double precision / count(*) as mean_first_response_seconds,
    scope,
    scope_id
from members
group by week_start, scope, scope_id, direction_filter, office_hours_filter, day_of_week, hour, dimension, member
