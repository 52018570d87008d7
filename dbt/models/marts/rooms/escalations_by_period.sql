-- A view over the escalations and rooms of its periods: who reads one period pays for that.
{%- set times = ['assign', 'start', 'handover', 'level'] %}
{%- set events = ['created', 'resolved', 'cancelled', 'superseded', 'open', 'end_open'] %}
{%- set of_rooms = ['room', 'escalated_room', 'finished_room', 'first_level_room'] %}
{%- set measures = [] %}
{%- for time in times %}
{%- do measures.extend(spread_names(time ~ '_seconds', [50, 90, 95, 99]) + spread_names(time ~ '_business_seconds', [50, 90])) %}
{%- endfor %}

with escalations as (
    select
        periods.period,
        periods.period_start,
        scopes.scope,
        scopes.scope_id,
        count(*) filter (where steps.is_created) as created_count,
        count(*) filter (where steps.resolved_local_date between periods.period_start and periods.period_end) as resolved_count,
        count(*) filter (where steps.cancelled_local_date between periods.period_start and periods.period_end)
            as cancelled_count,
        count(*) filter (where steps.is_created and steps.is_superseded) as superseded_count,
        count(*) filter (where not steps.is_created and steps.open_through >= periods.period_start) as open_count,
        count(*) filter (where steps.open_through > periods.period_end) as end_open_count
        {%- for time in times %}
        {%- set is_timed = 'steps.is_created' if time != 'level' else 'steps.is_created and not steps.is_open' %},
        count({{ time }}_seconds) filter (where {{ is_timed }}) as {{ time }}_count,
        {{ spread_of(time ~ '_seconds', [50, 90, 95, 99], is_timed) }},
        {{ spread_of(time ~ '_business_seconds', [50, 90], is_timed) }}
        {%- endfor %}
    from {{ ref('int_room_periods') }} as periods
    inner join lateral (
        select
            found.*,
            found.created_local_date >= periods.period_start as is_created,
            case when found.is_open then 'infinity' else found.ended_local_date end as open_through
        from {{ ref('escalation_steps') }} as found
        where daterange(found.created_local_date, found.until_local_date, '[]')
            && daterange(periods.period_start, periods.period_end, '[]')
    ) as steps on true
    cross join lateral (
        values
        ('all', 'all'), ('level', steps.to_level), ('agent', steps.agent_id), ('priority', steps.priority::text)
    ) as scopes (scope, scope_id)
    where scopes.scope_id is not null
    group by periods.period, periods.period_start, scopes.scope, scopes.scope_id
),

-- Where a matter ended is known once it ended; one that was given up, or was one too many, ended nowhere.
rooms as (
    select
        periods.period,
        periods.period_start,
        'all' as scope,
        'all' as scope_id,
        count(*) as room_count,
        count(*) filter (where outcomes.is_escalated) as escalated_room_count,
        count(*) filter (where outcomes.is_finished) as finished_room_count,
        count(*) filter (
            where outcomes.is_finished and not outcomes.is_escalated and outcomes.outcome is distinct from 'unresolved'
        ) as first_level_room_count
    from {{ ref('int_room_periods') }} as periods
    inner join (
        select
            *,
            closed_at is not null and coalesce(outcome not in ('abandoned', 'duplicate'), true) as is_finished
        from {{ ref('int_room_outcomes') }}
        where opened_at is not null
    ) as outcomes on outcomes.created_local_date between periods.period_start and periods.period_end
    group by periods.period, periods.period_start
),

-- One below the other, not joined: so Postgres hands the periods that are asked for down to both.
told as (
    select
        period, period_start, scope, scope_id
        {%- for name in events + times %},
        {{ name }}_count
        {%- endfor %}
        {%- for name in measures %},
        {{ name }}
        {%- endfor %}
        {%- for name in of_rooms %},
        null::bigint as {{ name }}_count
        {%- endfor %}
    from escalations

    union all

    select
        period, period_start, scope, scope_id
        {%- for name in events + times %},
        0 as {{ name }}_count
        {%- endfor %}
        {%- for name in measures %},
        null as {{ name }}
        {%- endfor %}
        {%- for name in of_rooms %},
        {{ name }}_count
        {%- endfor %}
    from rooms
),

summed as (
    select
        period,
        period_start,
        scope,
        scope_id
        {%- for name in events + times %},
        sum({{ name }}_count)::integer as {{ name }}_count
        {%- endfor %}
        {%- for name in measures %},
        max({{ name }}) as {{ name }}
        {%- endfor %}
        {%- for name in of_rooms %},
        sum({{ name }}_count)::integer as {{ name }}_count
        {%- endfor %}
    from told
    group by period, period_start, scope, scope_id
)

select
    summed.period,
    summed.period_start,
    summed.scope,
    summed.scope_id,
    coalesce(agents.name, summed.scope_id) as scope_name,
    {%- for name in events %}
    summed.{{ name }}_count,
    {%- endfor %}
    {%- for time in times %}
    summed.{{ time }}_count,
    {%- for name in measures if name.endswith('_' ~ time ~ '_seconds') or name.endswith('_' ~ time ~ '_business_seconds') %}
    summed.{{ name }},
    {%- endfor %}
    {%- endfor %}
    summed.room_count,
    summed.escalated_room_count,
    summed.escalated_room_count::double precision / nullif(summed.room_count, 0) as escalation_rate,
    summed.finished_room_count,
    summed.first_level_room_count,
    summed.first_level_room_count::double precision / nullif(summed.finished_room_count, 0) as first_level_resolution_rate
from summed
left join {{ ref('int_agents') }} as agents on summed.scope = 'agent' and agents.id = summed.scope_id
