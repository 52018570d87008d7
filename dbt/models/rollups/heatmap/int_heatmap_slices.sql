with shown_weeks as (
    select * from {{ ref('int_shown_weeks') }}
),

shown_scopes as (
    select
        scope,
        scope_id,
        scope_name
    from {{ ref('int_traffic_scopes') }}
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
    shown_scopes.scope,
    shown_scopes.scope_id,
    shown_scopes.scope_name,
    directions.member as direction_filter,
    directions.label_es as direction_label_es,
    directions.label_en as direction_label_en,
    office_hours.member as office_hours_filter,
    office_hours.label_es as office_hours_label_es,
    office_hours.label_en as office_hours_label_en
from shown_weeks
cross join shown_scopes
cross join directions
cross join office_hours
