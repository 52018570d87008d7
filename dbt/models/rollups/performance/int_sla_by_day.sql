-- One row a day where int_sla_days has one a metric and clock.
{%- set metrics = ['overall', 'pickup', 'first_response', 'avg_reply', 'resolution'] %}

select
    opened_local_date as local_date,
    scope,
    scope_id
    {%- for metric in metrics %}{% for clock in ['wall', 'business'] %}
    {%- for state in ['met', 'breached'] %},
    coalesce(sum({{ state }}_count) filter (where metric = '{{ metric }}' and clock = '{{ clock }}'), 0)::integer
        as sla_{{ metric }}_{{ clock }}_{{ state }}_count
    {%- endfor %}{% endfor %}{% endfor %}
from {{ ref('int_sla_days') }}
group by opened_local_date, scope, scope_id
