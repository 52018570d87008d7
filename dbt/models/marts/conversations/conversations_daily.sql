-- What is counted of a day is counted once, for account_daily and source_daily as well: their rows stand here beside each other.
select
    days.local_date,
    days.scope_id as source,
    {{ day_figures() }}
from {{ ref('int_performance_compared') }} as days
where days.scope in ('all', 'source')
