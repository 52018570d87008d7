-- No CTEs here: Postgres merges only a view without them into its reader's query, and so compares the days that are read.
{%- set rate = sla_rate('days.met_count', 'days.breached_count') %}
{%- set rate_before = sla_rate('days_before.met_count', 'days_before.breached_count') %}
select
    days.opened_local_date as local_date,
    days.scope,
    days.scope_id,
    coalesce(agents.name, departments.name, days.scope_id) as scope_name,
    days.metric,
    days.clock,
    days.met_count,
    days.breached_count,
    days.pending_count,
    days.not_applicable_count,
    {{ rate }} as rate,
    goal.goal,
    {{ rate }} >= goal.goal as is_goal_met,
    days.late_count,
    {{ time_of_one_source('days.sum_seconds_past') }} as sum_seconds_past,
    {{ time_of_one_source('days.sum_seconds_past::double precision / nullif(days.late_count, 0)') }} as mean_seconds_past,
    {{ time_of_one_source('days.p90_seconds_past') }} as p90_seconds_past,
    coalesce(days_before.met_count + days_before.breached_count, 0) as previous_judged_count,
    {{ rate_before }} as previous_rate,
    {{ rate }} - {{ rate_before }} as rate_delta
from {{ ref('int_sla_days') }} as days
cross join lateral (select {{ sla_goal('days', 'days.opened_local_date') }} as goal) as goal
left join {{ ref('int_sla_days') }} as days_before
    on days_before.opened_local_date = days.opened_local_date - 1
    and days_before.scope = days.scope
    and days_before.scope_id = days.scope_id
    and days_before.metric = days.metric
    and days_before.clock = days.clock
left join {{ ref('int_agents') }} as agents on days.scope = 'agent' and agents.id = days.scope_id
left join {{ ref('int_departments') }} as departments on days.scope = 'department' and departments.id = days.scope_id
{{ join_mixed_members('days') }}
