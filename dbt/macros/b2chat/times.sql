{#
  'YYYY-MM-DD HH:MM:SS' in the account's zone, as text, to timestamptz. Anything that is not such a time gives NULL:
  a landed record must never stop a build, and ingestion takes the years 1990 to 2100 (b2chat/records.py). The 29th to
  31st need a look at the month's length before the cast.

  The first case knows all such times but those of a 29th of February, without a regular expression, which would take
  longer than all else that is done to a message. The others are for the rare rest: leap days, a T, fractions.
#}
{% macro to_instant(local_text) -%}
    (case
        when {{ is_plain_time(local_text) }} then ({{ local_text }})::timestamp
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


{# Whether a text is a time in its usual form: each part is looked up among all that it can be. #}
{% macro is_plain_time(local_text) -%}
    {%- set days, two_digits = [], [] -%}
    {%- for month in range(1, 13) -%}
        {%- for day in range(1, 29 if month == 2 else 31 if month in [4, 6, 9, 11] else 32) -%}
            {%- do days.append('%02d-%02d' % (month, day)) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for number in range(60) -%}
        {%- do two_digits.append('%02d' % number) -%}
    {%- endfor -%}
    (
        {{ local_text }} like '____-_____ __:__:__'
        and substr({{ local_text }}, 1, 4) = any('{ {{- range(1990, 2101) | join(',') -}} }')
        and substr({{ local_text }}, 6, 5) = any('{ {{- days | join(',') -}} }')
        and substr({{ local_text }}, 12, 2) = any('{ {{- two_digits[:24] | join(',') -}} }')
        and substr({{ local_text }}, 15, 2) = any('{ {{- two_digits | join(',') -}} }')
        and substr({{ local_text }}, 18, 2) = any('{ {{- two_digits | join(',') -}} }')
    )
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


{#
  The audit export's 'YYYY-MM-DD hh:mm:ss AM/PM' to the API's 'YYYY-MM-DD HH:MM:SS', both as text: 12 AM is midnight,
  12 PM is noon. Any other text stays as it is.
#}
{% macro to_24_hours(text_12_hours) -%}
    case
        when {{ text_12_hours }} ~* '^\d{4}-\d{2}-\d{2}[ T](0?[1-9]|1[0-2]):\d{2}:\d{2} ?[AP]M$' then
            left({{ text_12_hours }}, 10) || ' ' || lpad((
                substring({{ text_12_hours }} from '^.{11}(\d+)')::integer % 12
                + case when {{ text_12_hours }} ~* 'PM$' then 12 else 0 end
            )::text, 2, '0') || substring({{ text_12_hours }} from ':\d{2}:\d{2}')
        else {{ text_12_hours }}
    end
{%- endmacro %}
