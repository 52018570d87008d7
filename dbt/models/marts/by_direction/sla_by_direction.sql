-- A view over the chats of its periods: who reads one period of one scope pays for that.
with judged as (
    select
        periods.period,
        periods.period_start,
        periods.period_end,
        scopes.scope,
        scopes.scope_id,
        judgements.direction,
        judgements.metric,
        clocks.clock,
        count(*) filter (where clocks.state = 'met')::integer as met_count,
        count(*) filter (where clocks.state = 'breached')::integer as breached_count,
        count(*) filter (where clocks.state = 'pending')::integer as pending_count,
        count(*) filter (where clocks.state = 'breached' and chats.closed_at is null)::integer as open_breached_count
    from {{ ref('int_periods') }} as periods
    inner join {{ ref('sla_chats') }} as judgements
        on judgements.opened_local_date between periods.period_start and periods.period_end
    -- Every chat is there. Postgres leaves a left join out where nobody asks for open_breached_count.
    left join {{ ref('chat_response_times') }} as chats on chats.chat_id = judgements.chat_id
    cross join lateral (
        values
        ('wall', judgements.wall_state), ('business', judgements.business_state)
    ) as clocks (clock, state)
    cross join lateral ({{ scopes('judgements') }}) as scopes (scope, scope_id)
    where not judgements.is_deleted and scopes.scope_id is not null and clocks.state <> 'not_applicable'
    group by
        periods.period, periods.period_start, periods.period_end, scopes.scope, scopes.scope_id, judgements.direction,
        judgements.metric, clocks.clock
)

select
    period,
    period_start,
    scope,
    scope_id,
    direction,
    metric,
    clock,
    met_count,
    breached_count,
    pending_count,
    open_breached_count,
    met_count + breached_count as judged_count,
    met_count::double precision / nullif(met_count + breached_count, 0) as rate,
    {{ sla_goal('judged', 'judged.period_end') }} as goal
from judged
