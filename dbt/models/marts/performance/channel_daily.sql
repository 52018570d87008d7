with days as (
    select * from {{ ref('int_performance_compared') }}
    where scope = 'channel'
)

select
    days.local_date,
    days.scope_id as channel,
    {{ day_figures() }}
from days
