{# How much a value differs from the one before it, in percent; NULL when either is missing or the one before is 0. #}
{% macro percent_change(value, value_before) -%}
    100 * ({{ value }} - {{ value_before }}) / nullif({{ value_before }}, 0)::double precision
{%- endmacro %}
