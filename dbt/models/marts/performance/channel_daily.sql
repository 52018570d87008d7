with days as (
    select * from {{ ref('int_performance_compared') }}
    where scope = 'provider'
)

select
    days.local_date,
    days.scope_id as provider,
    {{ day_figures() }}
from days
