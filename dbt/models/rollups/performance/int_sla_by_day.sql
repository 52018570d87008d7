-- One row a day where int_sla_days has one a metric and clock. Chats without a department are what the account has and
-- the departments have not.
{%- set metrics = ['overall', 'pickup', 'first_response', 'avg_reply', 'resolution'] %}

with scopes as (
    select
        opened_local_date as local_date,
        scope,
        scope_id,
        metric,
        clock,
        met_count,
        breached_count
    from {{ ref('int_sla_days') }}

    union all

    select
        opened_local_date,
        'department',
        'none',
        metric,
        clock,
        sum(case scope when 'all' then met_count else -met_count end),
        sum(case scope when 'all' then breached_count else -breached_count end)
    from {{ ref('int_sla_days') }}
    where scope in ('all', 'department')
    group by opened_local_date, metric, clock
)

select
    local_date,
    scope,
    scope_id
    {%- for metric in metrics %}{% for clock in ['wall', 'business'] %}
    {%- for state in ['met', 'breached'] %},
    coalesce(sum({{ state }}_count) filter (where metric = '{{ metric }}' and clock = '{{ clock }}'), 0)::integer
        as sla_{{ metric }}_{{ clock }}_{{ state }}_count
    {%- endfor %}{% endfor %}{% endfor %}
from scopes
group by local_date, scope, scope_id
