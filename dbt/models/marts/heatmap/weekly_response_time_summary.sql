with slices as (
    select * from {{ ref('int_heatmap_slices') }}
),

weeks as (
    select * from {{ ref('heatmap_weeks') }}
),

-- Read under a name of its own: Postgres would make one that is used twice for all weeks and filters before looking.
weeks_before as (
    select * from {{ ref('heatmap_weeks') }}
)

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
    coalesce(weeks.chat_count, 0) as chat_count,
    weeks.mean_first_response_seconds,
    weeks.p50_first_response_seconds,
    weeks.p90_first_response_seconds,
    {{ var('slot_min_chat_count') }} as slot_min_chat_count,
    weeks.fastest_day_of_week,
    weeks.fastest_hour,
    weeks.fastest_mean_seconds,
    weeks.fastest_chat_count,
    weeks.slowest_day_of_week,
    weeks.slowest_hour,
    weeks.slowest_mean_seconds,
    weeks.slowest_chat_count,
    coalesce(weeks_before.chat_count, 0) as previous_chat_count,
    weeks_before.mean_first_response_seconds as previous_mean_first_response_seconds,
    weeks_before.p50_first_response_seconds as previous_p50_first_response_seconds,
    weeks_before.p90_first_response_seconds as previous_p90_first_response_seconds,
    {{ percent_change('weeks.chat_count', 'weeks_before.chat_count') }} as chat_count_delta_pct,
    {{ percent_change('weeks.mean_first_response_seconds', 'weeks_before.mean_first_response_seconds') }}
        as mean_delta_pct,
    {{ percent_change('weeks.p50_first_response_seconds', 'weeks_before.p50_first_response_seconds') }}
        as p50_delta_pct,
    {{ percent_change('weeks.p90_first_response_seconds', 'weeks_before.p90_first_response_seconds') }}
        as p90_delta_pct,
    slices.scope,
    slices.scope_id,
    slices.scope_name
from slices
left join weeks
    on weeks.week_start = slices.week_start
    and weeks.scope = slices.scope
    and weeks.scope_id = slices.scope_id
    and weeks.direction_filter = slices.direction_filter
    and weeks.office_hours_filter = slices.office_hours_filter
left join weeks_before
    on weeks_before.week_start = slices.week_start - 7
    and weeks_before.scope = slices.scope
    and weeks_before.scope_id = slices.scope_id
    and weeks_before.direction_filter = slices.direction_filter
    and weeks_before.office_hours_filter = slices.office_hours_filter
