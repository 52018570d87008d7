with days as (
    select * from {{ ref('int_performance_compared') }}
    where scope = 'source'
)

select
    days.local_date,
    days.scope_id as source,
    {{ day_figures() }}
from days
