-- A view over the escalations and rooms of its periods: who reads one period pays for that.
{%- set times = ['assign', 'start', 'handover', 'level'] %}
{%- set events = ['created', 'resolved', 'cancelled', 'superseded', 'open', 'end_open'] %}
{%- set room_counts = ['room_count', 'escalated_room_count', 'finished_room_count', 'first_level_room_count'] %}
{%- set event_counts, time_counts = [], [] %}
{%- for name in events %}{% do event_counts.append(name ~ '_count') %}{% endfor %}
{%- for name in times %}{% do time_counts.append(name ~ '_count') %}{% endfor %}
{%- set measures = [] %}
{%- for time in times %}
{%- do measures.extend(spread_names(time ~ '_seconds', [50, 90, 95, 99]) + spread_names(time ~ '_business_seconds', [50, 90])) %}
{%- endfor %}

{%- set scopes -%}
    cross join lateral (
        values
        ('all', 'all'), ('level', steps.to_level), ('agent', steps.agent_id), ('priority', steps.priority::text)
    ) as scopes (scope, scope_id)
{%- endset %}

with created as (
    select
        periods.period,
        periods.period_start,
        scopes.scope,
        scopes.scope_id,
        count(*) as created_count,
        count(*) filter (where steps.is_superseded) as superseded_count
        {%- for time in times %}
        {%- set is_timed = 'true' if time != 'level' else 'not steps.is_open' %},
        count({{ time }}_seconds) filter (where {{ is_timed }}) as {{ time }}_count,
        {{ spread_of(time ~ '_seconds', [50, 90, 95, 99], is_timed) }},
        {{ spread_of(time ~ '_business_seconds', [50, 90], is_timed) }}
        {%- endfor %}
    from {{ ref('int_room_periods') }} as periods
    inner join {{ ref('escalation_steps') }} as steps
        on steps.created_local_date between periods.period_start and periods.period_end
    {{ scopes }}
    where scopes.scope_id is not null
    group by periods.period, periods.period_start, scopes.scope, scopes.scope_id
),

{%- for name in ['resolved', 'cancelled'] %}

{{ name }} as (
    select
        periods.period,
        periods.period_start,
        scopes.scope,
        scopes.scope_id,
        count(*) as {{ name }}_count
    from {{ ref('int_room_periods') }} as periods
    inner join {{ ref('int_escalation_states') }} as steps
        on steps.{{ name }}_local_date between periods.period_start and periods.period_end
    {{ scopes }}
    where scopes.scope_id is not null
    group by periods.period, periods.period_start, scopes.scope, scopes.scope_id
),
{%- endfor %}

-- At the midnights that begin and end a period. Only what stood across one is looked at.
open as (
    select
        periods.period,
        periods.period_start,
        scopes.scope,
        scopes.scope_id,
        count(*) filter (
            where steps.created_local_date < periods.period_start and states.open_through >= periods.period_start
        ) as open_count,
        count(*) filter (where states.open_through > periods.period_end) as end_open_count
    from {{ ref('int_room_periods') }} as periods
    inner join {{ ref('int_escalation_states') }} as steps
        on daterange(steps.created_local_date, steps.until_local_date, '[]')
        && daterange(periods.period_start, periods.period_end, '[]')
    cross join lateral (
        select case when steps.outcome = 'open' then 'infinity' else steps.ended_local_date end as open_through
    ) as states
    {{ scopes }}
    where scopes.scope_id is not null
        and (
            states.open_through > periods.period_end
            or (steps.created_local_date < periods.period_start and states.open_through >= periods.period_start)
        )
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
    {%- for relation, names in {
        'created': ['created_count', 'superseded_count'] + time_counts + measures,
        'resolved': ['resolved_count'],
        'cancelled': ['cancelled_count'],
        'open': ['open_count', 'end_open_count'],
        'rooms': room_counts,
    }.items() %}
    select
        period, period_start, scope, scope_id
        {%- for name in event_counts + time_counts %},
        {{ name if name in names else '0' }} as {{ name }}
        {%- endfor %}
        {%- for name in measures %},
        {{ name if name in names else 'null::double precision' }} as {{ name }}
        {%- endfor %}
        {%- for name in room_counts %},
        {{ name if name in names else 'null::bigint' }} as {{ name }}
        {%- endfor %}
    from {{ relation }}
    {%- if not loop.last %}

    union all
    {% endif %}
    {%- endfor %}
),

summed as (
    select
        period,
        period_start,
        scope,
        scope_id
        {%- for name in event_counts + time_counts + room_counts %},
        sum({{ name }})::integer as {{ name }}
        {%- endfor %}
        {%- for name in measures %},
        max({{ name }}) as {{ name }}
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
