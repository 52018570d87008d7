select distinct on (periods.period, periods.period_start, targets.metric)
    periods.period,
    periods.period_start,
    targets.metric,
    targets.target_seconds,
    targets.goal::double precision as goal
from {{ ref('int_periods') }} as periods
inner join {{ ref('sla_targets') }} as targets
    on {{ is_effective('targets', 'periods.period_end') }}
where targets.provider is null and targets.priority is null and targets.is_enabled
order by periods.period, periods.period_start, targets.metric, targets.valid_from desc nulls last
