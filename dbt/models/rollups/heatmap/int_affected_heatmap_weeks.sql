-- A cell stands beside the same one of the week before: a load affects the week that it changed and the one after it.
select
    affected.week_start + weeks_later.days as week_start,
    affected.load_id
from {{ ref('int_affected_weeks') }} as affected
cross join (values (0), (7)) as weeks_later (days)
