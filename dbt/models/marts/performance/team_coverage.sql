with months as (
    select * from {{ ref('int_occupancy_months') }}
    where scope = 'department'
),

shares as (
    select * from {{ ref('int_occupancy_shares') }}
),

departments as (
    select * from {{ ref('int_departments') }}
),

days as (
    select * from {{ ref('labels') }}
    where label_set = 'day_of_week'
)

select
    months.month_start,
    months.scope_id as department_id,
    coalesce(departments.name, months.scope_id) as department_name,
    months.day_of_week,
    months.hour,
    days.label_es as day_label_es,
    days.label_en as day_label_en,
    lpad(months.hour::text, 2, '0') as hour_label,
    months.active_seconds as agent_active_seconds,
    months.active_chat_seconds,
    shares.passed_seconds,
    months.active_seconds::double precision / nullif(shares.passed_seconds, 0) as mean_active_agents,
    months.active_chat_seconds::double precision / nullif(months.active_seconds, 0) as chats_per_active_agent
from months
inner join shares
    on shares.month_start = months.month_start
    and shares.day_of_week = months.day_of_week
    and shares.hour = months.hour
left join departments on departments.id = months.scope_id
left join days on days.member = months.day_of_week::text
