{#
  SQL: the cells (day of week × hour) of slices beside the other cells of their slice. One definition for every heatmap:
  band: the cell's mean against the 33rd and the 66th percentile of the means of the slice's non-empty cells; all equal is fast.
  fastest_rank, slowest_rank: 1 for the cell with the lowest, the highest mean of those with enough answered chats, because a cell
  of few chats is chance; ties go to the earlier cell of the week, which starts on Monday. NULL for a cell of fewer chats, and
  for one without a mean because its chats are of several sources.
  Min-max scaling would paint everything green: the slowest cell lies days above the rest.
  cells: a relation with chat_count, mean_first_response_seconds, day_of_week and hour; slice: the columns that name a slice.
#}
{% macro compared_cells(cells, slice) -%}
{%- set enough -%}
    (cells.chat_count >= {{ var('slot_min_chat_count') }} and cells.mean_first_response_seconds is not null)
{%- endset -%}
select
    cells.*,
    case
        when cells.mean_first_response_seconds is null then 'no_data'
        when cells.mean_first_response_seconds <= limits.fast_limit then 'fast'
        when cells.mean_first_response_seconds <= limits.average_limit then 'average'
        else 'slow'
    end as band,
    {{ var('slot_min_chat_count') }} as slot_min_chat_count,
    {{ enough }} as has_enough_chats
    {%- for rank, order in [('fastest_rank', 'asc'), ('slowest_rank', 'desc')] %},
    case
        when {{ enough }}
            then row_number() over (
                partition by {% for column in slice %}cells.{{ column }}, {% endfor %}{{ enough }}
                order by cells.mean_first_response_seconds {{ order }}, (cells.day_of_week + 6) % 7, cells.hour
            )::integer
    end as {{ rank }}
    {%- endfor %}
from {{ cells }} as cells
inner join (
    select
        {{ slice | join(', ') }},
        percentile_cont(0.33) within group (order by mean_first_response_seconds) as fast_limit,
        percentile_cont(0.66) within group (order by mean_first_response_seconds) as average_limit
    from {{ cells }}
    group by {{ slice | join(', ') }}
) as limits
    on {% for column in slice %}{{ 'and ' if not loop.first }}limits.{{ column }} = cells.{{ column }}
    {% endfor %}
{%- endmacro %}
