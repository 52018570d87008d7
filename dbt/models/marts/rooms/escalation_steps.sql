-- What is open goes on until the newest load, so it is worked out when it is read.
with steps as (
    select
        states.*,
        case when states.outcome = 'open' then states.created_at end as open_from_at,
        case when states.outcome = 'open' then known.known_until end as open_until_at,
        coalesce(states.given_back_until_at, case when states.is_given_back then known.known_until end) as given_back_until
    from {{ ref('int_escalation_states') }} as states
    cross join (select date_trunc('second', known_until) as known_until from {{ ref('int_room_known') }}) as known
),

timed as (
    select
        steps.*,
        {{ elapsed_seconds('steps.created_at', 'coalesce(steps.ended_at, steps.open_until_at)') }} as step_seconds,
        {{ business_seconds('from_clock', 'steps.open_from_at', 'until_clock', 'steps.open_until_at') }} as open_business_seconds,
        {{ elapsed_seconds('steps.before_at', 'steps.created_at') }} as before_seconds,
        {{ elapsed_seconds('steps.ended_at', 'steps.given_back_until') }} as given_back_seconds
    from steps
    {{ join_clock('from_clock', 'steps.calendar', 'steps.open_from_at') }}
    {{ join_clock('until_clock', 'steps.calendar', 'steps.open_until_at') }}
)

select
    timed.escalation_id,
    timed.chat_id as conversation_id,
    timed.step_number,
    timed.from_level,
    timed.to_level,
    timed.priority,
    timed.agent_id,
    agents.name as agent_name,
    timed.status,
    timed.outcome,
    timed.outcome = 'open' as is_open,
    timed.outcome = 'superseded' as is_superseded,
    coalesce({{ level_number('timed.to_level') }} < {{ level_number('timed.from_level') }}, false) as is_returned,
    timed.is_entered,
    timed.is_last,
    timed.created_at,
    timed.assigned_at,
    timed.started_at,
    timed.answered_at,
    timed.resolved_at,
    timed.cancelled_at,
    timed.ended_at,
    timed.assign_seconds,
    timed.assign_business_seconds,
    timed.start_seconds,
    timed.start_business_seconds,
    timed.handover_seconds,
    timed.handover_business_seconds,
    case when timed.is_entered then coalesce(timed.level_seconds, timed.step_seconds) end as level_seconds,
    case when timed.is_entered then coalesce(timed.level_business_seconds, timed.open_business_seconds) end
        as level_business_seconds,
    timed.before_seconds
        + case when timed.is_entered then 0 else timed.step_seconds end
        + case when timed.is_given_back then timed.given_back_seconds else 0 end as from_level_seconds,
    timed.quality_rules,
    timed.created_local_date,
    timed.escalated_local_date,
    timed.resolved_local_date,
    timed.cancelled_local_date,
    timed.ended_local_date,
    timed.until_local_date
from timed
left join {{ ref('int_agents') }} as agents on agents.id = timed.agent_id
