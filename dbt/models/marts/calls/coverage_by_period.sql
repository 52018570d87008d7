{%- set demand = ['pageview', 'popup', 'call'] %}
with cells as (
    {%- for period, cells in {'week': ref('coverage_heatmap_weekly'), 'month': ref('coverage_heatmap')}.items() %}
    {{ 'union all' if not loop.first }}
    select
        '{{ period }}' as period,
        {{ period }}_start as period_start,
        scope,
        scope_id,
        scope_name,
        passed_seconds,
        covered_seconds,
        agent_seconds,
        peak_agent_count
        {%- for name in demand %},
        {{ name }}_count,
        uncovered_{{ name }}_count
        {%- endfor %}
    from {{ cells }}
    {%- endfor %}
)

select
    period,
    period_start,
    scope,
    scope_id,
    scope_name,
    sum(passed_seconds)::bigint as passed_seconds,
    sum(covered_seconds)::bigint as covered_seconds,
    sum(agent_seconds)::bigint as agent_seconds,
    max(peak_agent_count) as peak_agent_count,
    sum(covered_seconds)::double precision / nullif(sum(passed_seconds), 0) as covered_share,
    sum(agent_seconds)::double precision / nullif(sum(passed_seconds), 0) as mean_agent_count
    {%- for name in demand %},
    sum({{ name }}_count)::integer as {{ name }}_count,
    sum(uncovered_{{ name }}_count)::integer as uncovered_{{ name }}_count,
    sum(uncovered_{{ name }}_count)::double precision / nullif(sum({{ name }}_count), 0) as uncovered_{{ name }}_share
    {%- endfor %}
from cells
group by period, period_start, scope, scope_id, scope_name
