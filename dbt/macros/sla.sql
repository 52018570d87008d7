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
