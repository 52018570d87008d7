-- By the department's key or by its name: B2Chat writes both.
select
    departments.id as department_id,
    calendars.calendar,
    calendars.valid_from,
    calendars.valid_to
from {{ ref('department_calendars') }} as calendars
inner join {{ ref('int_departments') }} as departments on calendars.department in (departments.id, departments.name)
