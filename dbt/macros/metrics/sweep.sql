{#
  A sweep: each span is one event at its start and one at its end, and the running sum of the events in order of time is the
  number of spans at once. It costs one sort of the events, however long the spans are; never a row for each span and hour.
#}


{#
  SQL: stretches, a row for each time between two events, with the number of spans at once; 0 where there is none.

  Args:
      spans: a relation with starts_at and ends_at, of which ends_at is later, and the columns of key.
      key: of whom the spans are counted together, as a list in SQL.
#}
{% macro stretches_of(spans, key) %}
    select
        {{ key }},
        starts_at,
        ends_at,
        span_count
    from (
        {{ swept('(select ' ~ key ~ ', starts_at as happened_at, 1 as change from ' ~ spans
            ~ ' union all select ' ~ key ~ ', ends_at, -1 from ' ~ spans ~ ') as events', key) }}
    ) as stretches
    where ends_at > starts_at
{% endmacro %}


{#
  SQL: each event with the number of spans from it on, until the next event. Of one instant ends come before starts, so that
  who follows somebody is not there beside them; and what changes nothing comes last, so that it finds what holds then.

  Args:
      events: a relation with happened_at, change (1, -1, or 0 for what only asks how many there are), and the columns of key.
      key: as of stretches_of.
      carried: other columns of events that stand beside.
#}
{% macro swept(events, key, carried=[]) %}
    select
        {{ key }},
        {%- for column in carried %}
        {{ column }},
        {%- endfor %}
        happened_at as starts_at,
        lead(happened_at) over sweep as ends_at,
        sum(change) over sweep as span_count
    from {{ events }}
    window sweep as (partition by {{ key }} order by happened_at, change = 0, change)
{% endmacro %}


{#
  SQL: the quarters of an hour that a stretch touches, for a select list. Hours of every zone begin with one of them, and no
  zone has to be asked for each stretch.
#}
{% macro quarters_of(starts_at, ends_at) -%}
    generate_series(
        date_bin('15 minutes', {{ starts_at }}, '2000-01-01 00:00+00'), {{ ends_at }} - interval '1 microsecond', interval '15 minutes'
    )
{%- endmacro %}


{# Seconds of a stretch that lie in a quarter of an hour. #}
{% macro seconds_in_quarter(quarter, starts_at, ends_at) -%}
    date_part('epoch', least({{ ends_at }}, {{ quarter }} + interval '15 minutes') - greatest({{ starts_at }}, {{ quarter }}))
{%- endmacro %}


{# SQL: neighbouring days (a relation with local_date, each day once) as one row: what happens in them is found at once. #}
{% macro islands_of(days) %}
    select
        min(local_date) as first_date,
        max(local_date) as last_date
    from (
        select
            local_date,
            local_date - row_number() over (order by local_date)::integer as island
        from {{ days }}
    ) as numbered
    group by island
{% endmacro %}


{#
  SQL: neighbouring days at once, from midnight to midnight of each zone (timezone, starts_at, ends_at).

  Args:
      days: a relation with local_date, each day once.
      zones: a relation with timezone.
#}
{% macro windows_of(days, zones) %}
    select distinct
        zones.timezone,
        islands.first_date::timestamp at time zone zones.timezone as starts_at,
        (islands.last_date + 1)::timestamp at time zone zones.timezone as ends_at
    from (
        {{ islands_of(days) }}
    ) as islands
    cross join {{ zones }} as zones
{% endmacro %}


{# SQL: spans (starts_at, ends_at) of a key as one where they overlap or touch, numbered in order; of one with two tabs a presence. #}
{% macro merged_spans(spans, key) %}
    select
        {{ key }},
        number,
        min(starts_at) as starts_at,
        max(ends_at) as ends_at
    from (
        select
            *,
            count(*) filter (where is_first) over (partition by {{ key }} order by starts_at) as number
        from (
            select
                *,
                coalesce(starts_at > lag(ends_at) over (partition by {{ key }} order by starts_at), true) as is_first
            from (
                {{ stretches_of(spans, key) }}
            ) as stretches
            where span_count > 0
        ) as marked
    ) as numbered
    group by {{ key }}, number
{% endmacro %}
