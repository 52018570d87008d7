select
    days.rule_kind,
    coalesce(departments.id, days.rule_name) as rule_name,
    days.load_id,
    range_agg(daterange(days.local_date, days.local_date + 1)) as days
from {{ ref('int_rule_days') }} as days
left join {{ ref('int_departments') }} as departments
    on days.rule_kind = 'department' and days.rule_name in (departments.id, departments.name)
where days.load_id > 0
group by days.rule_kind, coalesce(departments.id, days.rule_name), days.load_id
