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
  SQL: the loads that brought something, each with until when we know what they are of, in whole seconds, and until when before.
  A load that found nothing new moves nothing, so that it wakes no model.

  Args:
      of: which rows of ops.page_loads, as `page_loads`.
#}
{% macro running_loads(of) %}
    select
        load_id,
        known_until,
        lag(known_until) over (order by load_id) as known_until_before
    from (
        select
            load_id,
            date_trunc('second', max({{ known_until('page_loads') }}) over (order by load_id)) as known_until
        from {{ source('ops', 'page_loads') }} as page_loads
        where {{ of }} and new_count + changed_count > 0 and not {{ is_above_high_watermark('page_loads') }}
    ) as running
{% endmacro %}


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
