-- Of the hour that goes on, what has passed of it counts.
select
    hours.local_date,
    hours.hour,
    hours.scope,
    hours.scope_id,
    {{ call_scope_name('hours', 'members') }} as scope_name,
    extract(dow from hours.local_date)::integer as day_of_week,
    lpad(hours.hour::text, 2, '0') as hour_label,
    passed.passed_seconds,
    hours.covered_seconds,
    hours.agent_seconds,
    hours.peak_agent_count,
    hours.covered_seconds::double precision / nullif(passed.passed_seconds, 0) as covered_share,
    hours.agent_seconds::double precision / nullif(passed.passed_seconds, 0) as mean_agent_count,
    {%- for count in ['pageview', 'popup', 'call'] %}
    hours.{{ count }}_count,
    hours.uncovered_{{ count }}_count{{ ',' if not loop.last }}
    {%- endfor %}
from {{ ref('int_coverage_hours') }} as hours
cross join (select max(known_until) as known_until from {{ ref('int_call_loads') }}) as known
cross join lateral (
    select
        greatest(least(
            hours.hour_seconds, {{ seconds_between('hours.hour_starts_at', 'known.known_until') }}
        ), hours.covered_seconds) as passed_seconds
) as passed
{{ join_call_scope('members', 'hours') }}
