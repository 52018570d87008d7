{# An instant as the account's wall clock shows it (timestamp without zone). #}
{% macro local_time(instant) -%}
    ({{ instant }} at time zone '{{ account_timezone() }}')
{%- endmacro %}


{#
  Until when a load (a row of ops.page_loads) knows the account: when it was landed, or the beginning of the last day that
  it read, if that is later. A source's clock may be ahead of ours: a sandbox's stands where it was held, or moved on.
#}
{% macro known_until(loads) -%}
    greatest({{ loads }}.loaded_at, {{ loads }}.window_to::timestamp at time zone '{{ account_timezone() }}')
{%- endmacro %}


{#
  Whole seconds from one instant to another; NULL when either is unknown, and when they are more than an integer holds
  apart (68 years). Negative when the end comes first.
#}
{% macro seconds_between(start, finish) -%}
    case when {{ finish }} - {{ start }} between interval '-24855 days' and interval '24855 days' then
        round(extract(epoch from {{ finish }} - {{ start }}))::integer
    end
{%- endmacro %}


{# A time that comes out negative is not a time: NULL. #}
{% macro elapsed_seconds(start, finish) -%}
    case when {{ finish }} >= {{ start }} then {{ seconds_between(start, finish) }} end
{%- endmacro %}


{# When an hour of a zone's wall clock begins; one that comes twice, when it comes first, where Postgres takes the second. #}
{% macro hour_begins(local_hour, timezone) -%}
    case
        when (({{ local_hour }} at time zone {{ timezone }}) - interval '1 hour') at time zone {{ timezone }} = {{ local_hour }}
            then ({{ local_hour }} at time zone {{ timezone }}) - interval '1 hour'
        else {{ local_hour }} at time zone {{ timezone }}
    end
{%- endmacro %}
