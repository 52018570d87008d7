{%- set levels = {'T1': 't1', 'T2': 't2', 'T3': 't3', 'manager': 'manager'} %}

-- All by the day of the first escalation too, and read once: so Postgres hands the days that are asked for down to the steps.
with steps as (
    select
        *,
        lag(case when is_entered then to_level else from_level end) over conversation as level_before
    from {{ ref('escalation_steps') }}
    window conversation as (partition by conversation_id, escalated_local_date order by step_number)
),

-- A step is two parts: at the level that it came from, and at the one that it entered. What is not known of one part is not
-- known of the sum.
summed as (
    select
        steps.conversation_id,
        steps.escalated_local_date,
        {%- for level, name in levels.items() %}
        {%- set is_level = "part.level = '" ~ level ~ "'" %}
        case
            when bool_and(part.seconds is not null) filter (where {{ is_level }})
                then sum(part.seconds) filter (where {{ is_level }})
        end::bigint as {{ name }}_seconds,
        {%- endfor %}
        {%- set is_other = level_number('part.level') ~ ' is null and part.level is not null' %}
        case
            when bool_and(part.seconds is not null) filter (where {{ is_other }})
                then sum(part.seconds) filter (where {{ is_other }})
        end::bigint as other_level_seconds,
        string_agg(part.level, '>' order by steps.step_number, part.place) filter (where part.is_new) as path,
        min(steps.created_at) as first_created_at,
        (array_agg(steps.outcome order by steps.step_number desc))[1] as outcome,
        (array_agg(steps.from_level order by steps.step_number desc))[1] as last_from_level,
        (array_agg(steps.to_level order by steps.step_number desc))[1] as last_to_level,
        (array_agg(steps.ended_at order by steps.step_number desc))[1] as last_ended_at,
        count(*) filter (where part.place = 1) as step_count,
        count(*) filter (where part.place = 1 and steps.is_superseded) as superseded_count,
        count(*) filter (where part.place = 1 and steps.status = 'cancelled') as cancelled_count,
        sum(greatest({{ level_number('steps.to_level') }} - {{ level_number('steps.from_level') }} - 1, 0))
            filter (where part.place = 1 and steps.is_entered) as skipped_level_count,
        bool_or(steps.is_returned) as is_returned,
        count(steps.handover_seconds) filter (where part.place = 1) as handover_count,
        sum(steps.handover_seconds) filter (where part.place = 1) as handover_seconds_sum,
        sum(steps.handover_business_seconds) filter (where part.place = 1) as handover_business_seconds_sum
    from steps
    cross join lateral (
        values
        (1, steps.from_level, steps.from_level_seconds, steps.from_level is distinct from steps.level_before),
        (2, case when steps.is_entered then steps.to_level end, steps.level_seconds, steps.is_entered)
    ) as part (place, level, seconds, is_new)
    group by steps.conversation_id, steps.escalated_local_date
),

paths as (
    select
        summed.*,
        rooms.closed_at as room_closed_at,
        calendars.calendar,
        summed.outcome = 'open' or (summed.outcome = 'cancelled' and rooms.closed_at is null) as is_open,
        least(date_trunc('second', rooms.opened_at), summed.first_created_at) as started_at,
        case summed.outcome
            when 'cancelled' then coalesce(date_trunc('second', rooms.closed_at), date_trunc('second', known.known_until))
            when 'open' then date_trunc('second', known.known_until)
            else summed.last_ended_at
        end as until_at
    from summed
    cross join {{ ref('int_room_known') }} as known
    inner join {{ ref('chat_response_times') }} as rooms on rooms.chat_id = summed.conversation_id
    inner join {{ ref('int_chat_calendar') }} as calendars on calendars.chat_id = summed.conversation_id
),

timed as (
    select
        *,
        {{ elapsed_seconds('started_at', 'until_at') }} as total_seconds
    from paths
)

select
    timed.conversation_id,
    timed.escalated_local_date,
    timed.path,
    timed.step_count::integer as step_count,
    timed.superseded_count::integer as superseded_count,
    timed.cancelled_count::integer as cancelled_count,
    coalesce(timed.skipped_level_count, 0)::integer as skipped_level_count,
    timed.is_returned,
    timed.is_open,
    case
        when timed.outcome = 'resolved' then timed.last_to_level
        when timed.room_closed_at is null then null
        when timed.outcome = 'cancelled' then timed.last_from_level
        when timed.outcome = 'closed' then timed.last_to_level
    end as resolved_level,
    timed.started_at,
    case when not timed.is_open then timed.until_at end as ended_at,
    {%- for name in levels.values() %}
    timed.{{ name }}_seconds,
    {%- endfor %}
    timed.other_level_seconds,
    timed.total_seconds,
    {{ business_seconds('started_clock', 'timed.started_at', 'until_clock', 'timed.until_at') }} as total_business_seconds,
    timed.handover_count::integer as handover_count,
    timed.handover_seconds_sum::bigint as handover_seconds_sum,
    timed.handover_business_seconds_sum::bigint as handover_business_seconds_sum,
    timed.handover_seconds_sum::double precision / nullif(timed.total_seconds, 0) as handover_share
from timed
{{ join_clock('started_clock', 'timed.calendar', 'timed.started_at') }}
{{ join_clock('until_clock', 'timed.calendar', 'timed.until_at') }}
