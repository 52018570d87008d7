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
    members.week_start,
    min(members.agent_id) as agent_id,
    members.direction_filter,
    members.office_hours_filter,
    members.day_of_week,
    members.hour,
    members.dimension,
    members.member,
    min(members.member_label) as member_label,
    count(*)::integer as chat_count,
    {{ time_of_one_source('sum(members.first_response_seconds)::double precision / count(*)') }}
        as mean_first_response_seconds,
    members.scope,
    members.scope_id
from members
{{ join_mixed_members('members') }}
group by
    members.week_start, members.scope, members.scope_id, members.direction_filter, members.office_hours_filter,
    members.day_of_week, members.hour, members.dimension, members.member, mixed_members.scope
