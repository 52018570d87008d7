with slices as (
    select * from {{ ref('int_heatmap_slices') }}
),

days as (
    select
        member::integer as day_of_week,
        label_es as day_label_es,
        label_en as day_label_en
    from {{ ref('labels') }}
    where label_set = 'day_of_week'
),

hours as (
    select hour from generate_series(0, 23) as hour
),

cells as (
    select * from {{ ref('heatmap_cells') }}
)

select
    slices.week_start,
    slices.agent_id,
    slices.agent_name,
    slices.direction_filter,
    slices.office_hours_filter,
    days.day_of_week,
    hours.hour,
    slices.week_start + (days.day_of_week + 6) % 7 as cell_date,
    days.day_label_es,
    days.day_label_en,
    lpad(hours.hour::text, 2, '0') as hour_label,
    coalesce(cells.chat_count, 0) as chat_count,
    cells.mean_first_response_seconds,
    cells.p50_first_response_seconds,
    cells.p90_first_response_seconds,
    coalesce(cells.band, 'no_data') as band
from slices
cross join days
cross join hours
left join cells
    on cells.week_start = slices.week_start
    and cells.agent_id = slices.agent_id
    and cells.direction_filter = slices.direction_filter
    and cells.office_hours_filter = slices.office_hours_filter
    and cells.day_of_week = days.day_of_week
    and cells.hour = hours.hour
