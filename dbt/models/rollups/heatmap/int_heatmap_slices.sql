-- No CTEs here: Postgres merges only a view without them into its reader's query, and so plans it in less time.
{%- set current_week -%}
    date_trunc('week', {{ local_time('now()') }})
{%- endset %}
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
    filters.day_labels_es,
    filters.day_labels_en,
    filters.band_labels_es,
    filters.band_labels_en,
    filters.is_mixed
from {{ ref('int_heatmap_filters') }} as filters
cross join lateral generate_series(
    coalesce(filters.first_week_start, {{ current_week }}),
    -- Also to the newest chat, where the source's clock is ahead of ours.
    greatest({{ current_week }}, filters.last_week_start),
    interval '7 days'
) as week_start
