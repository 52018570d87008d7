{{ config(
    materialized='incremental',
    unique_key='(period, period_start)',
    meta={'affected_by': 'int_affected_escalation_periods', 'affected_key': 'period, period_start'},
    indexes=[{'columns': ['period', 'scope', 'scope_id', 'period_start'], 'unique': true}, {'columns': ['period', 'period_start']}],
) }}

{%- set times = ['assign', 'start', 'handover', 'level'] %}
{%- set dates = {
    'created': 'states.created_local_date',
    'resolved': 'states.resolved_local_date',
    'cancelled': 'states.cancelled_local_date',
    'ended': 'states.ended_local_date',
} %}
{%- set measures = [] %}
{%- for time in times %}
{%- do measures.extend(spread_names(time ~ '_seconds', [50, 90, 95, 99]) + spread_names(time ~ '_business_seconds', [50, 90])) %}
{%- endfor %}
{%- set room_counts = ['room_count', 'escalated_room_count', 'finished_room_count', 'first_level_room_count'] %}

{%- set scopes -%}
    cross join lateral (
        values
        ('all', 'all'), ('level', states.to_level), ('agent', states.agent_id), ('priority', states.priority::text)
    ) as scopes (scope, scope_id)
{%- endset %}

with {{ affected_days(ref('int_affected_escalation_periods')) }},

{%- for name, local_date in dates.items() %}

{{ name }} as (
    select
        days.period,
        days.period_start,
        scopes.scope,
        scopes.scope_id,
        count(*)::integer as {{ name }}_count
        {%- if name == 'created' %},
        count(*) filter (where states.outcome = 'superseded')::integer as superseded_count,
        -- Where nobody knows when it ended it never stood open.
        count(*) filter (where states.outcome = 'open' or states.ended_local_date is not null)::integer as opened_count
        {%- for time in times %},
        count({{ time }}_seconds)::integer as {{ time }}_count,
        {{ spread_of(time ~ '_seconds', [50, 90, 95, 99]) }},
        {{ spread_of(time ~ '_business_seconds', [50, 90]) }}
        {%- endfor %}
        {%- endif %}
    from days
    inner join {{ ref('int_escalation_states') }} as states on {{ local_date }} = days.local_date
    {{ scopes }}
    where scopes.scope_id is not null{{ " and states.outcome <> 'open'" if name == 'ended' }}
    group by days.period_start, scopes.scope_id, days.period, scopes.scope
),
{%- endfor %}

-- Where a matter ended is known once it ended; one that was given up, or was one too many, ended nowhere.
rooms as (
    select
        days.period,
        days.period_start,
        'all' as scope,
        'all' as scope_id,
        count(*)::integer as room_count,
        count(*) filter (where outcomes.is_escalated)::integer as escalated_room_count,
        count(*) filter (where finished.is_finished)::integer as finished_room_count,
        count(*) filter (
            where finished.is_finished and not outcomes.is_escalated and outcomes.outcome is distinct from 'unresolved'
        )::integer as first_level_room_count
    from days
    inner join {{ ref('int_room_outcomes') }} as outcomes on outcomes.created_local_date = days.local_date
    cross join lateral (
        select outcomes.closed_at is not null and coalesce(outcomes.outcome not in ('abandoned', 'duplicate'), true)
    ) as finished (is_finished)
    where outcomes.opened_at is not null
    group by days.period, days.period_start
),

grain as (
    {%- for name in dates.keys() | list + ['rooms'] %}
    select period, period_start, scope, scope_id from {{ name }}
    {{- '\n    union' if not loop.last }}
    {%- endfor %}
)

select
    grain.period,
    grain.period_start,
    grain.scope,
    grain.scope_id,
    {%- for name in ['created', 'resolved', 'cancelled', 'superseded'] %}
    coalesce({{ name }}_count, 0) as {{ name }}_count,
    {%- endfor %}
    coalesce(opened_count, 0) - coalesce(ended_count, 0) as open_change,
    {%- for time in times %}
    coalesce({{ time }}_count, 0) as {{ time }}_count,
    {%- endfor %}
    {%- for name in measures + room_counts %}
    {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from grain
{%- for name in dates.keys() | list + ['rooms'] %}
left join {{ name }} using (period, period_start, scope, scope_id)
{%- endfor %}
