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

bands as (
    select * from {{ ref('labels') }}
    where label_set = 'band'
),

cells as (
    select * from {{ ref('heatmap_cells') }}
),

-- Read under a name of its own: Postgres would make one that is used twice for all weeks and filters before looking.
cells_before as (
    select * from {{ ref('heatmap_cells') }}
)

select
    slices.week_start,
    case slices.scope when 'all' then 'all' when 'agent' then slices.scope_id end as agent_id,
    case when slices.scope in ('all', 'agent') then slices.scope_name end as agent_name,
    slices.direction_filter,
    slices.direction_label_es,
    slices.direction_label_en,
    slices.office_hours_filter,
    slices.office_hours_label_es,
    slices.office_hours_label_en,
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
    bands.member as band,
    bands.label_es as band_label_es,
    bands.label_en as band_label_en,
    coalesce(cells_before.chat_count, 0) as previous_chat_count,
    cells_before.mean_first_response_seconds as previous_mean_first_response_seconds,
    cells_before.p50_first_response_seconds as previous_p50_first_response_seconds,
    {{ percent_change('cells.mean_first_response_seconds', 'cells_before.mean_first_response_seconds') }}
        as mean_delta_pct,
    {{ percent_change('cells.p50_first_response_seconds', 'cells_before.p50_first_response_seconds') }}
        as p50_delta_pct,
    slices.scope,
    slices.scope_id,
    slices.scope_name
from slices
cross join days
cross join hours
left join cells
    on cells.week_start = slices.week_start
    and cells.scope = slices.scope
    and cells.scope_id = slices.scope_id
    and cells.direction_filter = slices.direction_filter
    and cells.office_hours_filter = slices.office_hours_filter
    and cells.day_of_week = days.day_of_week
    and cells.hour = hours.hour
left join cells_before
    on cells_before.week_start = slices.week_start - 7
    and cells_before.scope = slices.scope
    and cells_before.scope_id = slices.scope_id
    and cells_before.direction_filter = slices.direction_filter
    and cells_before.office_hours_filter = slices.office_hours_filter
    and cells_before.day_of_week = days.day_of_week
    and cells_before.hour = hours.hour
inner join bands on bands.member = coalesce(cells.band, 'no_data')
