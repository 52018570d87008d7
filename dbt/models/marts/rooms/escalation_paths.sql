{%- set levels = {'T1': 't1', 'T2': 't2', 'T3': 't3', 'manager': 'manager'} %}

with steps as (
    select
        *,
        lag(case when is_entered then to_level else from_level end) over conversation as level_before
    from {{ ref('escalation_steps') }}
    window conversation as (partition by conversation_id order by step_number)
),

-- What is not known of one step is not known of their sum.
levels as (
    select
        steps.conversation_id,
        {%- for level, name in levels.items() %}
        {%- set is_level = "part.level = '" ~ level ~ "'" %}
        case when bool_and(part.seconds is not null) filter (where {{ is_level }})
            then sum(part.seconds) filter (where {{ is_level }}) end::bigint as {{ name }}_seconds,
        {%- endfor %}
        case when bool_and(part.seconds is not null) filter (where {{ level_number('part.level') }} is null)
            then sum(part.seconds) filter (where {{ level_number('part.level') }} is null) end::bigint as other_level_seconds,
        string_agg(part.level, '>' order by steps.step_number, part.place) filter (where part.is_new) as path
    from steps
    cross join lateral (
        values
        (1, steps.from_level, steps.from_level_seconds, steps.from_level is distinct from steps.level_before),
        (2, case when steps.is_entered then steps.to_level end, steps.level_seconds, true)
    ) as part (place, level, seconds, is_new)
    where part.level is not null
    group by steps.conversation_id
),

known as (
    select date_trunc('second', known_until) as known_until from {{ ref('int_room_known') }}
),

paths as (
    select
        steps.conversation_id,
        least(date_trunc('second', rooms.opened_at), min(steps.created_at)) as started_at,
        max(case when steps.is_last then
            case steps.outcome
                when 'cancelled' then coalesce(date_trunc('second', rooms.closed_at), known.known_until)
                when 'open' then known.known_until
                else steps.ended_at
            end
        end) as until_at,
        bool_or(steps.is_last and (steps.outcome = 'open' or (steps.outcome = 'cancelled' and rooms.closed_at is null)))
            as is_open,
        max(case when steps.is_last then
            case
                when steps.outcome = 'resolved' then steps.to_level
                when rooms.closed_at is null then null
                when steps.outcome = 'cancelled' then steps.from_level
                when steps.outcome = 'closed' then steps.to_level
            end
        end) as resolved_level,
        count(*) as step_count,
        count(*) filter (where steps.is_superseded) as superseded_count,
        count(*) filter (where steps.status = 'cancelled') as cancelled_count,
        sum(greatest({{ level_number('steps.to_level') }} - {{ level_number('steps.from_level') }} - 1, 0))
            filter (where steps.is_entered) as skipped_level_count,
        bool_or(steps.is_returned) as is_returned,
        count(steps.handover_seconds) as handover_count,
        sum(steps.handover_seconds) as handover_seconds_sum,
        sum(steps.handover_business_seconds) as handover_business_seconds_sum,
        min(steps.created_local_date) as escalated_local_date
    from steps
    cross join known
    inner join {{ ref('chat_response_times') }} as rooms on rooms.chat_id = steps.conversation_id
    group by steps.conversation_id, rooms.opened_at, rooms.closed_at
),

timed as (
    select
        paths.*,
        {{ elapsed_seconds('paths.started_at', 'paths.until_at') }} as total_seconds
    from paths
)

select
    timed.conversation_id,
    timed.escalated_local_date,
    levels.path,
    timed.step_count::integer as step_count,
    timed.superseded_count::integer as superseded_count,
    timed.cancelled_count::integer as cancelled_count,
    coalesce(timed.skipped_level_count, 0)::integer as skipped_level_count,
    timed.is_returned,
    timed.is_open,
    timed.resolved_level,
    timed.started_at,
    case when not timed.is_open then timed.until_at end as ended_at,
    {%- for name in levels.values() %}
    levels.{{ name }}_seconds,
    {%- endfor %}
    levels.other_level_seconds,
    timed.total_seconds,
    {{ business_seconds('started_clock', 'timed.started_at', 'until_clock', 'timed.until_at') }} as total_business_seconds,
    timed.handover_count::integer as handover_count,
    timed.handover_seconds_sum::bigint as handover_seconds_sum,
    timed.handover_business_seconds_sum::bigint as handover_business_seconds_sum,
    timed.handover_seconds_sum::double precision / nullif(timed.total_seconds, 0) as handover_share
from timed
inner join levels on levels.conversation_id = timed.conversation_id
inner join {{ ref('int_chat_calendar') }} as calendars on calendars.chat_id = timed.conversation_id
{{ join_clock('started_clock', 'calendars.calendar', 'timed.started_at') }}
{{ join_clock('until_clock', 'calendars.calendar', 'timed.until_at') }}
