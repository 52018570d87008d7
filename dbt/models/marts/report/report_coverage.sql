select
    periods.period,
    periods.period_id,
    periods.last_date - periods.first_date + 1 as day_count,
    count(distinct health.local_date) filter (
        where health.source = 'b2chat' and health.entity_type = 'chats' and health.is_read_whole
    )::integer
        as fully_read_day_count,
    coalesce(sum(health.failures), 0)::integer as failed_sync_count,
    (
        select coalesce(sum(quality.broken_count), 0)::integer from {{ ref('data_quality') }} as quality
        where quality.subject like 'quarantine of %'
    ) as quarantined_count
from {{ ref('report_periods') }} as periods
left join {{ ref('sync_health') }} as health on health.local_date between periods.first_date and periods.last_date
group by periods.period, periods.period_id, periods.first_date, periods.last_date
