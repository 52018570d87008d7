-- Weeks run from the first chat's to the current one; with no chat yet there is the current week alone.
with bounds as (
    select date_trunc('week', {{ local_time('now()') }})::date as current_week
),

weeks as (
    select week_start::date as week_start
    from bounds
    cross join lateral generate_series(
        coalesce((select min(created_week_start) from {{ ref('chat_response_times') }}), current_week)::timestamp,
        current_week::timestamp,
        interval '7 days'
    ) as week_start
),

shown_agents as (
    select
        'all' as agent_id,
        'all' as agent_name
    union all
    select
        id as agent_id,
        name as agent_name
    from {{ ref('agents') }}
)

select
    weeks.week_start,
    shown_agents.agent_id,
    shown_agents.agent_name,
    directions.direction_filter,
    office.office_hours_filter
from weeks
cross join shown_agents
cross join (
    values ('all'), ('incoming'), ('outgoing'), ('outgoing_broadcast'), ('outgoing_all'), ('converted')
) as directions (direction_filter)
cross join (values ('all'), ('office_hours'), ('non_office_hours')) as office (office_hours_filter)
