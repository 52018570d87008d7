-- Months in which it changed who was at work, with the load that changed it.
select
    date_trunc('month', local_date)::date as month_start,
    load_id
from {{ ref('int_affected_activity_days') }}
