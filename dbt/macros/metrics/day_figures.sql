{# The figures of a day and their comparison with the day before, as every *_daily mart of performance shows them. #}
{% macro day_figures() -%}
{%- set times = ['pickup', 'first_response', 'resolution', 'handling', 'reply'] %}
{%- set metrics = ['overall', 'pickup', 'first_response', 'avg_reply', 'resolution'] %}
    days.chat_count,
    days.previous_chat_count,
    days.chat_count_delta_pct,
    days.closed_chat_count,
    days.reopened_count,
    days.agent_transfer_count,
    days.department_transfer_count,
    days.incoming_message_count,
    days.outgoing_message_count,
    {%- for time in times %}
    days.{{ time }}_count,
    days.sum_{{ time }}_seconds,
    days.mean_{{ time }}_seconds,
    days.p50_{{ time }}_seconds,
    days.p90_{{ time }}_seconds,
    days.previous_mean_{{ time }}_seconds,
    days.mean_{{ time }}_delta_pct,
    {%- endfor %}
    {%- for metric in metrics %}{% for clock in ['wall', 'business'] %}
    {%- set name = 'sla_' ~ metric ~ '_' ~ clock %}
    {%- if metric == 'overall' %}
    days.previous_{{ name }}_rate,
    days.{{ name }}_rate_delta,
    {%- endif %}
    days.{{ name }}_met_count,
    days.{{ name }}_breached_count,
    days.{{ name }}_rate{{ ',' if not (metric == metrics[-1] and clock == 'business') }}
    {%- endfor %}{% endfor %}
{%- endmacro %}
