with filters as (
    select * from {{ ref('int_heatmap_filters') }}
),

now_local as (
    select date_trunc('week', {{ local_time('now()') }}) as current_week
)

select
    week_start::date as week_start,
    filters.scope,
    filters.scope_id,
    filters.scope_name,
    filters.agent_id,
    filters.agent_name,
    filters.direction_filter,
    filters.direction_label_es,
    filters.direction_label_en,
    filters.office_hours_filter,
    filters.office_hours_label_es,
    filters.office_hours_label_en,
    filters.band_labels_es,
    filters.band_labels_en,
    filters.is_mixed
from filters
cross join now_local
cross join lateral generate_series(
    coalesce(filters.first_week_start, now_local.current_week),
    -- Also to the newest chat, where the source's clock is ahead of ours.
    greatest(now_local.current_week, filters.last_week_start),
    interval '7 days'
) as week_start
