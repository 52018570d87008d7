{#
  SQL: growth by Theil and Sen: by table the median of the slopes between all pairs of days; also of logarithms (growth), and of
  the days of each half.

  Args:
      points: a relation with schema_name, table_name, day, steady_count and is_first_half.
#}
{% macro median_slopes(points) %}
    select
        schema_name,
        table_name,
        percentile_cont(0.5) within group (order by slope) as slope,
        percentile_cont(0.5) within group (order by growth) as growth,
        percentile_cont(0.5) within group (order by slope) filter (where is_of_first_half) as first_slope,
        percentile_cont(0.5) within group (order by slope) filter (where is_of_second_half) as second_slope
    from (
        select
            one.schema_name,
            one.table_name,
            (other.steady_count - one.steady_count) / (other.day - one.day) as slope,
            case when least(one.steady_count, other.steady_count) > 0
                then (ln(other.steady_count) - ln(one.steady_count)) / (other.day - one.day)
            end as growth,
            one.is_first_half and other.is_first_half as is_of_first_half,
            not one.is_first_half and not other.is_first_half as is_of_second_half
        from {{ points }} as one
        inner join {{ points }} as other
            on other.schema_name = one.schema_name and other.table_name = one.table_name and other.day > one.day
    ) as slopes
    group by schema_name, table_name
{% endmacro %}
