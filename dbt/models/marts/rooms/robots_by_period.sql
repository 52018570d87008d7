-- A view over the interactions and rooms of its periods: who reads one period pays for that.
{%- set states = ['completed', 'failed', 'timed_out', 'pending'] %}
{%- set outcomes = ['handed_over', 'contained', 'lapsed', 'open'] %}
{%- set of_interactions = ['interaction'] + states + ['answer'] %}
{%- set of_rooms = ['room'] + outcomes + ['durable_judged', 'durable', 'handover_wait'] %}
{%- set answers = spread_names('answer_seconds', [50, 90, 95, 99]) %}
{%- set waits = spread_names('handover_wait_seconds', [50, 90, 95, 99])
    + spread_names('handover_wait_business_seconds', [50, 90]) %}

-- One that has not answered within the limit has failed; a younger one cannot be judged yet.
with interactions as (
    select
        periods.period,
        periods.period_start,
        robots.robot_id,
        count(*) as interaction_count,
        {%- for state in states %}
        count(*) filter (where judged.state = '{{ state }}') as {{ state }}_count,
        {%- endfor %}
        count(judged.answer_seconds) as answer_count,
        {{ spread_of('answer_seconds', [50, 90, 95, 99]) }}
    from {{ ref('int_room_periods') }} as periods
    inner join {{ ref('robot_interactions') }} as interactions
        on interactions.created_local_date between periods.period_start and periods.period_end
    cross join {{ ref('int_room_known') }} as known
    cross join lateral (
        select
            case
                when interactions.status in ('completed', 'failed') then interactions.status
                when interactions.started_at + {{ robot_time_limit() }} <= known.known_until then 'timed_out'
                else 'pending'
            end as state,
            case
                when interactions.status = 'completed'
                    then extract(epoch from interactions.completed_at - interactions.started_at)::double precision
            end as answer_seconds
    ) as judged
    cross join lateral (values (interactions.robot_id), ('all')) as robots (robot_id)
    where not interactions.is_deleted and robots.robot_id is not null
    group by periods.period, periods.period_start, robots.robot_id
),

rooms as (
    select
        periods.period,
        periods.period_start,
        robots.robot_id,
        count(*) as room_count,
        {%- for outcome in outcomes %}
        count(*) filter (where rooms.robot_outcome = '{{ outcome }}') as {{ outcome }}_count,
        {%- endfor %}
        count(durable.is_durable) as durable_judged_count,
        count(*) filter (where durable.is_durable) as durable_count,
        count(waited.handover_wait_seconds) as handover_wait_count,
        {{ spread_of('handover_wait_seconds', [50, 90, 95, 99]) }},
        {{ spread_of('handover_wait_business_seconds', [50, 90]) }}
    from {{ ref('int_room_periods') }} as periods
    inner join {{ ref('int_room_outcomes') }} as rooms
        on rooms.created_local_date between periods.period_start and periods.period_end
    cross join {{ ref('int_room_known') }} as known
    cross join lateral (
        select
            case when rooms.robot_outcome = 'handed_over' then rooms.first_response_seconds end as handover_wait_seconds,
            case when rooms.robot_outcome = 'handed_over' then rooms.first_response_business_seconds end
                as handover_wait_business_seconds
    ) as waited
    -- Judged when the time is over; where the customer is not known it cannot be.
    cross join lateral (
        select
            case
                when rooms.robot_outcome = 'contained' and rooms.contact_id is not null
                    and rooms.closed_at + {{ durable_after() }} <= known.known_until
                    then not exists (
                        select 1 from {{ ref('int_room_outcomes') }} as later
                        where later.contact_id = rooms.contact_id
                            and later.created_at > rooms.created_at
                            and later.created_at <= rooms.closed_at + {{ durable_after() }}
                    )
            end as is_durable
    ) as durable
    cross join lateral (values (rooms.robot_id), ('all')) as robots (robot_id)
    where rooms.robot_id is not null
    group by periods.period, periods.period_start, robots.robot_id
),

-- One below the other, not joined: so Postgres hands the periods that are asked for down to both.
told as (
    select
        period, period_start, robot_id
        {%- for name in of_interactions %},
        {{ name }}_count
        {%- endfor %}
        {%- for name in answers %},
        {{ name }}
        {%- endfor %}
        {%- for name in of_rooms %},
        0 as {{ name }}_count
        {%- endfor %}
        {%- for name in waits %},
        null::double precision as {{ name }}
        {%- endfor %}
    from interactions

    union all

    select
        period, period_start, robot_id
        {%- for name in of_interactions %},
        0 as {{ name }}_count
        {%- endfor %}
        {%- for name in answers %},
        null as {{ name }}
        {%- endfor %}
        {%- for name in of_rooms %},
        {{ name }}_count
        {%- endfor %}
        {%- for name in waits %},
        {{ name }}
        {%- endfor %}
    from rooms
),

summed as (
    select
        period,
        period_start,
        robot_id
        {%- for name in of_interactions + of_rooms %},
        sum({{ name }}_count)::integer as {{ name }}_count
        {%- endfor %}
        {%- for name in answers + waits %},
        max({{ name }}) as {{ name }}
        {%- endfor %}
    from told
    group by period, period_start, robot_id
)

select
    period,
    period_start,
    robot_id,
    {%- for name in ['interaction'] + states %}
    {{ name }}_count,
    {%- endfor %}
    completed_count::double precision / nullif(completed_count + failed_count + timed_out_count, 0) as success_rate,
    answer_count,
    {{ answers | join(',\n    ') }},
    {%- for name in ['room'] + outcomes %}
    {{ name }}_count,
    {%- endfor %}
    {%- for outcome, rate in {'handed_over': 'handover', 'contained': 'containment', 'lapsed': 'lapse'}.items() %}
    {{ outcome }}_count::double precision / nullif(room_count - open_count, 0) as {{ rate }}_rate,
    {%- endfor %}
    durable_judged_count,
    durable_count,
    durable_count::double precision / nullif(durable_judged_count, 0) as durable_rate,
    handover_wait_count,
    {{ waits | join(',\n    ') }}
from summed
