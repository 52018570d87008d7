-- What stands open at a midnight is the sum of all that came and went before it, so it is not stored of each day.
{%- set times = ['assign', 'start', 'handover', 'level'] %}
{%- set counts = ['created_count', 'resolved_count', 'cancelled_count', 'superseded_count'] %}
{%- set time_counts, measures = [], [] %}
{%- for time in times %}
{%- do time_counts.append(time ~ '_count') %}
{%- do measures.extend(spread_names(time ~ '_seconds', [50, 90, 95, 99]) + spread_names(time ~ '_business_seconds', [50, 90])) %}
{%- endfor %}
{%- set room_counts = ['room_count', 'escalated_room_count', 'finished_room_count', 'first_level_room_count'] %}

with balances as (
    select
        *,
        sum(open_change) over so_far as balance,
        lead(period_start) over so_far as next_start
    from {{ ref('int_escalation_periods') }}
    window so_far as (partition by period, scope, scope_id order by period_start)
),

-- A balance holds until the next change.
shown as (
    select
        balances.period,
        shown.period_start::date as period_start,
        balances.scope,
        balances.scope_id,
        balances.balance,
        balances.balance - case when change.is_stored then balances.open_change else 0 end as open_count,
        {%- for name in counts + time_counts %}
        case when change.is_stored then balances.{{ name }} else 0 end as {{ name }},
        {%- endfor %}
        {%- for name in measures + room_counts %}
        case when change.is_stored then balances.{{ name }} end as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from balances
    cross join {{ ref('int_room_known') }} as known
    cross join lateral generate_series(
        balances.period_start::timestamp,
        case
            when balances.balance = 0 then balances.period_start
            else least(balances.next_start - 1, {{ local_time('known.known_until') }}::date)
        end::timestamp,
        ('1 ' || balances.period)::interval
    ) as shown (period_start)
    cross join lateral (select shown.period_start = balances.period_start) as change (is_stored)
)

select
    shown.period,
    shown.period_start,
    shown.scope,
    shown.scope_id,
    coalesce(agents.name, shown.scope_id) as scope_name,
    {%- for name in counts %}
    shown.{{ name }},
    {%- endfor %}
    shown.open_count::integer as open_count,
    shown.balance::integer as end_open_count,
    {%- for time in times %}
    shown.{{ time }}_count,
    {%- for name in measures if name.endswith('_' ~ time ~ '_seconds') or name.endswith('_' ~ time ~ '_business_seconds') %}
    shown.{{ name }},
    {%- endfor %}
    {%- endfor %}
    shown.room_count,
    shown.escalated_room_count,
    shown.escalated_room_count::double precision / nullif(shown.room_count, 0) as escalation_rate,
    shown.finished_room_count,
    shown.first_level_room_count,
    shown.first_level_room_count::double precision / nullif(shown.finished_room_count, 0) as first_level_resolution_rate
from shown
inner join {{ ref('int_room_periods') }} as periods
    on periods.period = shown.period and periods.period_start = shown.period_start
left join {{ ref('int_agents') }} as agents on shown.scope = 'agent' and agents.id = shown.scope_id
