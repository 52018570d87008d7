{#
  Business time is read off a clock that only runs in business hours, int_calendar_clock: the business seconds between
  two instants are what it shows at the second less what it shows at the first, however far they lie apart. Each
  instant costs one hash join.

      select {{ business_seconds('opened_clock', 'chats.opened_at', 'closed_clock', 'chats.closed_at') }} as ...
      from chats
      inner join {{ ref('int_chat_calendar') }} as calendars on calendars.chat_id = chats.id
      {{ join_clock('opened_clock', 'calendars.calendar', 'chats.opened_at') }}
      {{ join_clock('closed_clock', 'calendars.calendar', 'chats.closed_at') }}

  `opened_clock.is_open` says whether the instant is business time. When a target runs out is looked up in the clock's
  inverse, int_calendar_due; target is in seconds and more than 0:

      {% set used_up = open_seconds('opened_clock', 'chats.opened_at') ~ ' + targets.target_seconds' %}
      select {{ due_at('due', used_up) }} as due_at
      ...
      {{ join_due('due', 'calendars.calendar', used_up) }}

  Everything is NULL for an instant that is NULL or outside the years that calendars know.
#}
{% macro join_clock(clock, calendar, instant) -%}
    left join {{ ref('int_calendar_clock') }} as {{ clock }}
        on {{ clock }}.calendar = {{ calendar }}
        and {{ clock }}.bucket_at = {{ clock_bucket(instant) }}
        and {{ instant }} >= {{ clock }}.starts_at
        and {{ instant }} < {{ clock }}.ends_at
{%- endmacro %}


{# What the clock shows at an instant: business seconds since the calendar's first day, double precision. #}
{% macro open_seconds(clock, instant) -%}
    ({{ clock }}.open_seconds_before
        + case when {{ clock }}.is_open then date_part('epoch', {{ instant }} - {{ clock }}.starts_at) else 0 end)
{%- endmacro %}


{# Whole business seconds from one instant to another, each with its joined clock; NULL when the end comes first. #}
{% macro business_seconds(start_clock, start, finish_clock, finish) -%}
    case when {{ finish }} >= {{ start }} then
        round({{ open_seconds(finish_clock, finish) }} - {{ open_seconds(start_clock, start) }})::integer
    end
{%- endmacro %}


{% macro join_due(due, calendar, used_up) -%}
    left join {{ ref('int_calendar_due') }} as {{ due }}
        on {{ due }}.calendar = {{ calendar }}
        and {{ due }}.bucket = {{ due_bucket(used_up) }}
        and {{ used_up }} > {{ due }}.opens_after
        and {{ used_up }} <= {{ due }}.opens_upto
{%- endmacro %}


{# The instant at which the clock shows so many seconds. When that is exactly closing time, it is that closing time. #}
{% macro due_at(due, used_up) -%}
    {{ due }}.starts_at + ({{ used_up }} - {{ due }}.opens_after) * interval '1 second'
{%- endmacro %}


{# Keys of the two tables. date_bin is integer arithmetic: no zone, no floating point. #}
{% macro clock_bucket(instant) -%}
    date_bin('24 hours', {{ instant }}, '2000-01-01 00:00+00'::timestamptz)
{%- endmacro %}


{% macro due_bucket(open_seconds) -%}
    ceil(({{ open_seconds }}) / 86400)::integer
{%- endmacro %}


{# The days that calendars know: holidays are listed for no others. #}
{% macro calendar_first_day() -%}
    '{{ var("calendar_first_year") }}-01-01'::date
{%- endmacro %}


{% macro calendar_last_day() -%}
    '{{ var("calendar_last_year") }}-12-31'::date
{%- endmacro %}


{% macro calendar_starts_at() -%}
    ({{ calendar_first_day() }}::timestamp at time zone '{{ account_timezone() }}')
{%- endmacro %}


{% macro calendar_ends_at() -%}
    (({{ calendar_last_day() }} + 1)::timestamp at time zone '{{ account_timezone() }}')
{%- endmacro %}
