-- A path counts on the day of its first escalation. The fence makes Postgres look the days of a period up, not all paths.
select
    periods.period,
    periods.period_start,
    paths.path,
    count(*)::integer as conversation_count,
    count(*) filter (where paths.is_open)::integer as open_count,
    count(paths.total_seconds)::integer as total_count,
    avg(paths.total_seconds)::double precision as mean_total_seconds,
    percentile_cont(0.5) within group (order by paths.total_seconds) as p50_total_seconds,
    percentile_cont(0.9) within group (order by paths.total_seconds) as p90_total_seconds,
    sum(paths.handover_seconds)::double precision / nullif(sum(paths.total_seconds), 0) as handover_share
from {{ ref('int_room_periods') }} as periods
cross join lateral (
    select
        path,
        is_open,
        case when not is_open then total_seconds end as total_seconds,
        case when not is_open and total_seconds is not null then handover_seconds_sum end as handover_seconds
    from {{ ref('escalation_paths') }}
    where escalated_local_date between periods.period_start and periods.period_end
    {{ planner_fence() }}
) as paths
group by periods.period, periods.period_start, paths.path
