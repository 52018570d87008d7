{#
  SQL: a sweep. Each span is one event at its start and one at its end, and the running sum of the events is the number of
  spans at once: a row for each stretch between two events, never one for each span and hour.

  Args:
      spans: a relation with starts_at and ends_at, of which ends_at is later, and the columns of key.
      key: of whom the spans are counted together, as a list in SQL.
#}
{% macro stretches_of(spans, key) %}
    select
        {{ key }},
        happened_at as starts_at,
        lead(happened_at) over sweep as ends_at,
        sum(change) over sweep as span_count
    from (
        select {{ key }}, event.happened_at, sum(event.change) as change
        from {{ spans }}
        cross join lateral (values (starts_at, 1), (ends_at, -1)) as event (happened_at, change)
        group by {{ key }}, event.happened_at
    ) as events
    window sweep as (partition by {{ key }} order by happened_at)
{% endmacro %}
