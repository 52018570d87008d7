with days as (
    select * from {{ ref('int_performance_compared') }}
    where scope = 'department'
),

departments as (
    select * from {{ ref('int_departments') }}
)

select
    days.local_date,
    days.scope_id as department_id,
    coalesce(departments.name, days.scope_id) as department_name,
    {{ day_figures() }}
from days
left join departments on departments.id = days.scope_id
