-- What is mixed and the days' labels stand in the filters: a join would be planned for each heatmap. No CTEs here, for the same
-- reason: Postgres merges only a view without them into its reader's query.
{%- set of_one_source = [
    'mean_first_response_seconds', 'p50_first_response_seconds', 'p90_first_response_seconds', 'band', 'has_enough_chats',
    'previous_mean_first_response_seconds', 'previous_p50_first_response_seconds',
] %}
select
    slices.week_start,
    slices.agent_id,
    slices.agent_name,
    slices.direction_filter,
    slices.direction_label_es,
    slices.direction_label_en,
    slices.office_hours_filter,
    slices.office_hours_label_es,
    slices.office_hours_label_en,
    grid.day_of_week,
    grid.hour,
    slices.week_start + (grid.day_of_week + 6) % 7 as cell_date,
    slices.day_labels_es ->> grid.day_of_week as day_label_es,
    slices.day_labels_en ->> grid.day_of_week as day_label_en,
    lpad(grid.hour::text, 2, '0') as hour_label,
    coalesce(grid.chat_count, 0) as chat_count,
    grid.mean_first_response_seconds,
    grid.p50_first_response_seconds,
    grid.p90_first_response_seconds,
    coalesce(grid.band, 'no_data') as band,
    slices.band_labels_es ->> coalesce(grid.band, 'no_data') as band_label_es,
    slices.band_labels_en ->> coalesce(grid.band, 'no_data') as band_label_en,
    coalesce(grid.previous_chat_count, 0) as previous_chat_count,
    grid.previous_mean_first_response_seconds,
    grid.previous_p50_first_response_seconds,
    {{ percent_change('grid.mean_first_response_seconds', 'grid.previous_mean_first_response_seconds') }}
        as mean_delta_pct,
    {{ percent_change('grid.p50_first_response_seconds', 'grid.previous_p50_first_response_seconds') }}
        as p50_delta_pct,
    slices.scope,
    slices.scope_id,
    slices.scope_name,
    coalesce(grid.has_enough_chats, false) as has_enough_chats
from {{ ref('int_heatmap_slices') }} as slices
-- OFFSET keeps it apart: whatever a slice is found by, its cells are then looked up by the key, and planning is shorter.
cross join lateral (
    select
        slots.slot / 24 as day_of_week,
        slots.slot % 24 as hour,
        {%- for column in of_one_source %}
        case when not slices.is_mixed then cells.{{ column }} end as {{ column }},
        {%- endfor %}
        cells.chat_count,
        cells.previous_chat_count
    from generate_series(0, 7 * 24 - 1) as slots (slot)
    left join {{ ref('int_heatmap_cells') }} as cells
        on cells.week_start = slices.week_start
        and cells.scope = slices.scope
        and cells.scope_id = slices.scope_id
        and cells.direction_filter = slices.direction_filter
        and cells.office_hours_filter = slices.office_hours_filter
        and cells.day_of_week = slots.slot / 24
        and cells.hour = slots.slot % 24
    offset 0
) as grid
