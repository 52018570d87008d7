{#
  'YYYY-MM-DD HH:MM:SS' in the account's zone, as text, to timestamptz. Anything that is not such a time gives NULL:
  a landed record must never stop a build, and ingestion takes the years 1990 to 2100 (b2chat/records.py). The 29th to
  31st need a look at the month's length before the cast.
#}
{% macro to_instant(local_text) -%}
    (case
        when {{ local_text }} ~ '^(199\d|20\d\d|2100)-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])[ T]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?$'
            then ({{ local_text }})::timestamp
        when {{ local_text }} ~ '^(199\d|20\d\d|2100)-(0[1-9]|1[0-2])-(29|3[01])[ T]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?$'
            then case
                when substr({{ local_text }}, 9, 2)::integer <= extract(
                    day from (left({{ local_text }}, 7) || '-01')::date + interval '1 month' - interval '1 day'
                ) then ({{ local_text }})::timestamp
            end
    end at time zone '{{ account_timezone() }}')
{%- endmacro %}


{# An instant as the account's wall clock shows it (timestamp without zone). #}
{% macro local_time(instant) -%}
    ({{ instant }} at time zone '{{ account_timezone() }}')
{%- endmacro %}


{# Whole seconds from one instant to another; NULL when either is unknown. Negative when the end comes first. #}
{% macro seconds_between(start, finish) -%}
    round(extract(epoch from {{ finish }} - {{ start }}))::integer
{%- endmacro %}


{# A time that comes out negative is not a time: NULL. #}
{% macro elapsed_seconds(start, finish) -%}
    case when {{ finish }} >= {{ start }} then {{ seconds_between(start, finish) }} end
{%- endmacro %}


{# B2Chat's 'DD:HH:MM:SS' to seconds; NULL when it is written in any other way. #}
{% macro duration_to_seconds(duration) -%}
    case when {{ duration }} ~ '^\d{1,4}:\d{1,2}:\d{1,2}:\d{1,2}$' then
        split_part({{ duration }}, ':', 1)::integer * 86400
        + split_part({{ duration }}, ':', 2)::integer * 3600
        + split_part({{ duration }}, ':', 3)::integer * 60
        + split_part({{ duration }}, ':', 4)::integer
    end
{%- endmacro %}
