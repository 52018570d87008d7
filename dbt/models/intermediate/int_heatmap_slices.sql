with shown_weeks as (
    select * from {{ ref('int_shown_weeks') }}
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
),

directions as (
    select * from {{ ref('labels') }}
    where label_set = 'direction_filter'
),

office_hours as (
    select * from {{ ref('labels') }}
    where label_set = 'office_hours_filter'
)

select
    shown_weeks.week_start,
    shown_agents.agent_id,
    shown_agents.agent_name,
    directions.member as direction_filter,
    directions.label_es as direction_label_es,
    directions.label_en as direction_label_en,
    office_hours.member as office_hours_filter,
    office_hours.label_es as office_hours_label_es,
    office_hours.label_en as office_hours_label_en
from shown_weeks
cross join shown_agents
cross join directions
cross join office_hours
