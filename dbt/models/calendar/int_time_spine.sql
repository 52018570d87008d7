-- The days that the semantic layer counts in: a view without a table under it.
select period_start as local_date
from {{ ref('int_periods') }}
where period = 'day'
