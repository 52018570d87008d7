-- A view over the marts by direction: who reads the periods of one scope pays for those.
with told as (
    select
        period,
        period_start,
        scope,
        scope_id,
        direction,
        created_chat_count as chat_count,
        null::integer as first_response_count,
        null::double precision as p50_first_response_seconds,
        null::double precision as p90_first_response_seconds,
        null::integer as sla_judged_count,
        null::double precision as sla_rate
    from {{ ref('slots_by_direction') }}

    union all

    select period, period_start, scope, scope_id, direction, null, count, p50_seconds, p90_seconds, null, null
    from {{ ref('response_times_by_direction') }}
    where metric = 'first_response' and clock = 'wall'

    union all

    select period, period_start, scope, scope_id, direction, null, null, null, null, judged_count, rate
    from {{ ref('sla_by_direction') }}
    where metric = 'overall' and clock = 'wall'
)

select
    period,
    period_start,
    scope,
    scope_id,
    direction,
    sum(chat_count)::integer as chat_count,
    coalesce(max(first_response_count), 0) as first_response_count,
    max(p50_first_response_seconds) as p50_first_response_seconds,
    max(p90_first_response_seconds) as p90_first_response_seconds,
    coalesce(max(sla_judged_count), 0) as sla_judged_count,
    max(sla_rate) as sla_rate
from told
group by period, period_start, scope, scope_id, direction
