select
    period,
    period_start::text as period_id,
    period_start as first_date,
    period_end as last_date
from {{ ref('int_periods') }}
where period in ('week', 'month')

union all

select
    'analysis',
    analysis_id::text,
    first_date,
    last_date
from {{ ref('customer_analyses') }}
