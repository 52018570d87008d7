{#
  An agent is at work for so many minutes before and after a message, pick-up or closing of theirs, in chats that they
  have at that moment. Set by B2CHAT_ACTIVITY_MINUTES.
#}
{% macro activity_time() -%}
    interval '{{ var('activity_minutes', env_var('B2CHAT_ACTIVITY_MINUTES', '15')) | int }} minutes'
{%- endmacro %}


{# A chat in which nothing has happened for so many days is stale, until something happens. Set by B2CHAT_STALE_DAYS. #}
{% macro stale_after() -%}
    interval '{{ 24 * (var('stale_days', env_var('B2CHAT_STALE_DAYS', '30')) | int) }} hours'
{%- endmacro %}
