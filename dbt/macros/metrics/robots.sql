{# A robot that has not answered within this time has failed. #}
{% macro robot_time_limit() -%}
    interval '{{ var('robot_time_limit_seconds') | int }} seconds'
{%- endmacro %}


{# What a robot contained is durable where its customer opens no other room within this time. #}
{% macro durable_after() -%}
    interval '{{ var('durable_days') | int }} days'
{%- endmacro %}
