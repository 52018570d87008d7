{# CTEs `periods` and `days`: the weeks and months that a load has affected, and each of their days. #}
{% macro affected_days(affected) -%}
periods as (
    select distinct
        period,
        period_start
    from {{ affected }} as affected
    where {{ load_window('affected') }}
),

-- Day by day, so that all periods together are one hash join, and a few of them read their days by index.
days as (
    select
        periods.period,
        periods.period_start,
        periods.period_start + day.number as local_date
    from periods
    cross join generate_series(0, 30) as day (number)
    where periods.period_start + day.number < periods.period_start + ('1 ' || periods.period)::interval
)
{%- endmacro %}
