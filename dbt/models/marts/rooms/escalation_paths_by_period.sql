-- A path counts on the day of its first escalation.
select
    periods.period,
    periods.period_start,
    paths.path,
    count(*)::integer as conversation_count,
    count(*) filter (where paths.is_open)::integer as open_count,
    count(ended.total_seconds)::integer as total_count,
    avg(ended.total_seconds)::double precision as mean_total_seconds,
    percentile_cont(0.5) within group (order by ended.total_seconds) as p50_total_seconds,
    percentile_cont(0.9) within group (order by ended.total_seconds) as p90_total_seconds,
    sum(ended.handover_seconds)::double precision / nullif(sum(ended.total_seconds), 0) as handover_share
from {{ ref('int_room_periods') }} as periods
inner join {{ ref('escalation_paths') }} as paths
    on paths.escalated_local_date between periods.period_start and periods.period_end
cross join lateral (
    select
        case when not paths.is_open then paths.total_seconds end as total_seconds,
        case when not paths.is_open and paths.total_seconds is not null then paths.handover_seconds_sum end as handover_seconds
) as ended
group by periods.period, periods.period_start, paths.path
