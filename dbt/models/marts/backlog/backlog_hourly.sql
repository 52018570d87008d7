with hours as (
    select * from {{ ref('int_backlog_hours') }}
),

agents as (
    select * from {{ ref('agents') }}
),

departments as (
    select * from {{ ref('departments') }}
)

select
    hours.hour_at,
    hours.local_date,
    hours.hour,
    lpad(hours.hour::text, 2, '0') as hour_label,
    hours.scope,
    hours.scope_id,
    coalesce(agents.name, departments.name, hours.scope_id) as scope_name,
    hours.open_count,
    hours.waiting_for_pickup_count,
    hours.waiting_for_answer_count,
    hours.opened_count,
    hours.closed_count,
    hours.became_stale_count,
    hours.returned_count
from hours
left join agents on hours.scope = 'agent' and agents.id = hours.scope_id
left join departments on hours.scope = 'department' and departments.id = hours.scope_id
