-- Months in which who holds which chat changed, with the load that changed it.
select
    date_trunc('month', local_date)::date as month_start,
    load_id
from {{ ref('int_hold_touched_days') }}
