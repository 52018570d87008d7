{#
  The state of one metric of the SLA by one clock. What happened is judged by its seconds; what did not, by the deadline.
  A chat that was closed before the deadline, with nothing done, cannot be judged any more; and an event before its
  start has no time. An average (avg_reply) has no deadline: it is open for as long as the chat is.
#}
{% macro sla_state(metric, actual_seconds, due_at, happened_at) -%}
    case
        when {{ metric }}_target_seconds is null or opened_at is null then 'not_applicable'
        {%- if metric in ('pickup', 'first_response') %}
        when direction in ('outgoing', 'outgoing_broadcast') then 'not_applicable'
        {%- endif %}
        when {{ actual_seconds }} <= {{ metric }}_target_seconds then 'met'
        when {{ actual_seconds }} > {{ metric }}_target_seconds then 'breached'
        {%- if due_at %}
        when {{ due_at }} is null then 'not_applicable'
        when {{ happened_at }} > {{ due_at }} then 'breached'
        when {{ happened_at }} is not null or closed_at <= {{ due_at }} then 'not_applicable'
        when {{ due_at }} < as_of then 'breached'
        {%- else %}
        when closed_at is not null then 'not_applicable'
        {%- endif %}
        else 'pending'
    end
{%- endmacro %}


{# All metrics together: the worst of the states; not applicable only if all are. #}
{% macro sla_overall_state(clock) -%}
    {%- set states = [] -%}
    {%- for metric in sla_metrics() -%}
        {%- do states.append(metric ~ '_' ~ clock ~ '_state') -%}
    {%- endfor -%}
    case
        when not is_overall_enabled then 'not_applicable'
        when 'breached' in ({{ states | join(', ') }}) then 'breached'
        when 'pending' in ({{ states | join(', ') }}) then 'pending'
        when 'met' in ({{ states | join(', ') }}) then 'met'
        else 'not_applicable'
    end
{%- endmacro %}


{# The metrics of the SLA and the time at which each is fulfilled; none for an average. #}
{% macro sla_metrics() -%}
    {{ return({'pickup': 'picked_up_at', 'first_response': 'response_at', 'avg_reply': none, 'resolution': 'closed_at'}) }}
{%- endmacro %}

{# SQL: the share that met the target; NULL when nothing was judged. #}
{% macro sla_rate(met_count, breached_count) -%}
    {{ met_count }}::double precision / nullif({{ met_count }} + {{ breached_count }}, 0)
{%- endmacro %}


{# SQL: the goal that a scope has for a metric on a day; of days, a relation of SLA rollups. #}
{% macro sla_goal(days, local_date) -%}
    (
        select targets.goal
        from {{ ref('sla_targets') }} as targets
        where targets.metric = {{ days }}.metric
            and (targets.provider is null or {{ days }}.scope = 'channel' and targets.provider = {{ days }}.scope_id)
            and targets.priority is null
            and {{ is_effective('targets', local_date) }}
        order by targets.provider is null, targets.valid_from desc nulls last
        limit 1
    )::double precision
{%- endmacro %}


{# The SLA of all weeks or all months, as sla_weekly and sla_monthly show it. #}
{% macro sla_of_periods(period) -%}
select
    periods.period_start,
    periods.day_count,
    periods.is_partial,
    periods.scope,
    periods.scope_id,
    coalesce(agents.name, departments.name, periods.scope_id) as scope_name,
    periods.metric,
    periods.clock,
    periods.met_count,
    periods.breached_count,
    periods.pending_count,
    periods.not_applicable_count,
    periods.rate,
    goal.goal,
    periods.rate >= goal.goal as is_goal_met,
    periods.late_count,
    {{ time_of_one_source('periods.sum_seconds_past') }} as sum_seconds_past,
    {{ time_of_one_source('periods.sum_seconds_past::double precision / nullif(periods.late_count, 0)') }}
        as mean_seconds_past,
    periods.previous_judged_count,
    periods.previous_rate,
    periods.rate - periods.previous_rate as rate_delta
from {{ ref('int_sla_periods') }} as periods
cross join lateral (select {{ sla_goal('periods', 'periods.period_end') }} as goal) as goal
left join {{ ref('int_agents') }} as agents on periods.scope = 'agent' and agents.id = periods.scope_id
left join {{ ref('int_departments') }} as departments on periods.scope = 'department' and departments.id = periods.scope_id
{{ join_mixed_members('periods') }}
where periods.period = '{{ period }}'
{%- endmacro %}
