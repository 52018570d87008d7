{{ config(
    materialized='incremental',
    unique_key='week_start',
    meta={'affected_by': 'int_affected_heatmap_weeks'},
    indexes=[{
        'columns': ['week_start', 'scope', 'scope_id', 'direction_filter', 'office_hours_filter', 'day_of_week', 'hour'],
        'unique': true,
    }],
) }}

with changed_weeks as (
    select distinct week_start from {{ ref('int_affected_weeks') }} as affected
    where {{ load_window('affected') }}
),

counted as (
    select
        week_start,
        scope,
        scope_id,
        direction_filter,
        office_hours_filter,
        day_of_week,
        hour,
        {{ first_response_measures() }}
    from {{ ref('int_heatmap_chats') }}
    where {{ is_of('changed_weeks', 'week_start') }}
    group by week_start, scope, scope_id, direction_filter, office_hours_filter, day_of_week, hour
),

compared as (
    {{ compared_cells('counted', ['week_start', 'scope', 'scope_id', 'direction_filter', 'office_hours_filter']) | indent }}
),

{%- set cell = ['scope', 'scope_id', 'direction_filter', 'office_hours_filter', 'day_of_week', 'hour'] %}
{%- set measures = [
    'sum_first_response_seconds', 'mean_first_response_seconds', 'p50_first_response_seconds', 'p90_first_response_seconds',
    'band', 'has_enough_chats', 'fastest_rank', 'slowest_rank',
] %}

cells as (
    select week_start, {{ (cell + ['chat_count'] + measures) | join(', ') }}
    from compared
    {%- if is_incremental() %}

    union all
    -- What did not change of the weeks beside them.
    select week_start, {{ (cell + ['chat_count'] + measures) | join(', ') }}
    from {{ this }}
    where chat_count > 0
        and week_start = any(array(select week_start + days from changed_weeks cross join (values (-7), (7)) as beside (days)))
        and week_start not in (select week_start from changed_weeks)
    {%- endif %}
)

select
    coalesce(cells.week_start, cells_before.week_start + 7) as week_start,
    {%- for column in cell %}
    coalesce(cells.{{ column }}, cells_before.{{ column }}) as {{ column }},
    {%- endfor %}
    coalesce(cells.chat_count, 0) as chat_count,
    {%- for column in measures %}
    cells.{{ column }},
    {%- endfor %}
    coalesce(cells_before.chat_count, 0) as previous_chat_count,
    cells_before.mean_first_response_seconds as previous_mean_first_response_seconds,
    cells_before.p50_first_response_seconds as previous_p50_first_response_seconds
from cells
full join cells as cells_before
    on cells_before.week_start + 7 = cells.week_start
    {%- for column in cell %}
    and cells_before.{{ column }} = cells.{{ column }}
    {%- endfor %}
where coalesce(cells.week_start, cells_before.week_start + 7) in (
    select week_start from {{ ref('int_affected_heatmap_weeks') }} as affected
    where {{ load_window('affected') }}
)
-- Cells that are read together lie together.
order by 1, 2, 3, 4, 5, 6, 7
