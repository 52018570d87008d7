-- Shares are of the time that has passed, to the newest load: so an hour in which nobody ever came counts too, as do hours
-- that clock changes repeat or skip.
with hours as (
    select
        date_trunc('month', local_date)::date as month_start,
        scope,
        scope_id,
        extract(dow from local_date)::integer as day_of_week,
        hour,
        sum(covered_seconds)::bigint as covered_seconds,
        sum(agent_seconds)::bigint as agent_seconds,
        max(peak_agent_count) as peak_agent_count,
        sum(pageview_count)::integer as pageview_count,
        sum(uncovered_pageview_count)::integer as uncovered_pageview_count,
        sum(popup_count)::integer as popup_count,
        sum(uncovered_popup_count)::integer as uncovered_popup_count,
        sum(call_count)::integer as call_count,
        sum(uncovered_call_count)::integer as uncovered_call_count
    from {{ ref('int_coverage_hours') }}
    group by month_start, scope, scope_id, day_of_week, hour
),

months as (
    select distinct
        date_trunc('month', local_date)::date as month_start,
        scope,
        scope_id,
        timezone
    from {{ ref('int_coverage_hours') }}
),

zone_months as (
    select distinct month_start, timezone from months
),

passed as (
    select
        zone_months.month_start,
        zone_months.timezone,
        extract(dow from local.local_hour)::integer as day_of_week,
        extract(hour from local.local_hour)::integer as hour,
        sum({{ seconds_between('instant', "least(instant + interval '1 hour', known.known_until)") }})::integer as passed_seconds
    from zone_months
    cross join (select max(known_until) as known_until from {{ ref('int_call_loads') }}) as known
    cross join lateral generate_series(
        zone_months.month_start::timestamp at time zone zone_months.timezone,
        least(
            (zone_months.month_start + interval '1 month') at time zone zone_months.timezone, known.known_until
        ) - interval '1 microsecond',
        interval '1 hour'
    ) as instant
    cross join lateral (select instant at time zone zone_months.timezone as local_hour) as local
    group by zone_months.month_start, zone_months.timezone, day_of_week, hour
)

select
    months.month_start,
    months.scope,
    months.scope_id,
    {{ call_scope_name('months', 'members') }} as scope_name,
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
from months
cross join generate_series(0, 6) as day_of_week
cross join generate_series(0, 23) as hour
left join passed using (month_start, timezone, day_of_week, hour)
left join hours using (month_start, scope, scope_id, day_of_week, hour)
left join {{ ref('labels') }} as days on days.label_set = 'day_of_week' and days.member = day_of_week::text
{{ join_call_scope('members', 'months') }}
