with days as (
    select * from {{ ref('int_performance_compared') }}
    where scope = 'all'
)

select
    days.local_date,
    {{ day_figures() }}
from days
