{#
  Coverage by weekday and hour of each week or month: 168 cells for each member of a scope.

  Shares are of the time that has passed, to the newest load: so an hour in which nobody ever came counts too, as do hours that
  clock changes repeat or skip.

  Args:
      period: week or month.
#}
{% macro coverage_cells(period) -%}
{%- set start = period ~ '_start' -%}
with hours as (
    select
        date_trunc('{{ period }}', local_date)::date as {{ start }},
        scope,
        scope_id,
        extract(dow from local_date)::integer as day_of_week,
        hour,
        sum(covered_seconds)::bigint as covered_seconds,
        sum(agent_seconds)::bigint as agent_seconds,
        max(peak_agent_count) as peak_agent_count
        {%- for count in ['pageview', 'popup', 'call'] %},
        sum({{ count }}_count)::integer as {{ count }}_count,
        sum(uncovered_{{ count }}_count)::integer as uncovered_{{ count }}_count
        {%- endfor %}
    from {{ ref('int_coverage_hours') }}
    group by {{ start }}, scope, scope_id, day_of_week, hour
),

periods as (
    select distinct
        date_trunc('{{ period }}', local_date)::date as {{ start }},
        scope,
        scope_id,
        timezone
    from {{ ref('int_coverage_hours') }}
),

zone_periods as (
    select distinct
        date_trunc('{{ period }}', local_date)::date as {{ start }},
        timezone
    from {{ ref('int_coverage_hours') }}
),

passed as (
    select
        zone_periods.{{ start }},
        zone_periods.timezone,
        extract(dow from local.local_hour)::integer as day_of_week,
        extract(hour from local.local_hour)::integer as hour,
        sum({{ seconds_between('instant', "least(instant + interval '1 hour', known.known_until)") }})::integer as passed_seconds
    from zone_periods
    cross join (select max(known_until) as known_until from {{ ref('int_call_loads') }}) as known
    cross join lateral generate_series(
        zone_periods.{{ start }}::timestamp at time zone zone_periods.timezone,
        least(
            (zone_periods.{{ start }} + interval '1 {{ period }}') at time zone zone_periods.timezone, known.known_until
        ) - interval '1 microsecond',
        interval '1 hour'
    ) as instant
    cross join lateral (select instant at time zone zone_periods.timezone as local_hour) as local
    group by zone_periods.{{ start }}, zone_periods.timezone, day_of_week, hour
)

select
    periods.{{ start }},
    periods.scope,
    periods.scope_id,
    {{ call_scope_name('periods', 'members') }} as scope_name,
    day_of_week,
    hour,
    days.label_es as day_label_es,
    days.label_en as day_label_en,
    lpad(hour::text, 2, '0') as hour_label,
    coalesce(passed.passed_seconds, 0) as passed_seconds,
    coalesce(hours.covered_seconds, 0)::bigint as covered_seconds,
    coalesce(hours.agent_seconds, 0)::bigint as agent_seconds,
    coalesce(hours.peak_agent_count, 0) as peak_agent_count,
    coalesce(hours.covered_seconds, 0)::double precision / nullif(passed.passed_seconds, 0) as covered_share,
    coalesce(hours.agent_seconds, 0)::double precision / nullif(passed.passed_seconds, 0) as mean_agent_count,
    {%- for count in ['pageview', 'popup', 'call'] %}
    coalesce(hours.{{ count }}_count, 0) as {{ count }}_count,
    coalesce(hours.uncovered_{{ count }}_count, 0) as uncovered_{{ count }}_count{{ ',' if not loop.last }}
    {%- endfor %}
from periods
cross join generate_series(0, 6) as day_of_week
cross join generate_series(0, 23) as hour
left join passed using ({{ start }}, timezone, day_of_week, hour)
left join hours using ({{ start }}, scope, scope_id, day_of_week, hour)
left join {{ ref('labels') }} as days on days.label_set = 'day_of_week' and days.member = day_of_week::text
{{ join_call_scope('members', 'periods') }}
{%- endmacro %}
