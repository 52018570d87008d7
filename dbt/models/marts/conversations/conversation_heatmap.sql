with shown_weeks as (
    select * from {{ ref('int_shown_weeks') }}
),

sources as (
    select 'all' as source

    union distinct

    select scope_id as source
    from {{ ref('int_scope_sources') }}
    where scope = 'source'
),

cells as (
    select * from {{ ref('int_conversation_cells') }}
)

select
    shown_weeks.week_start,
    sources.source,
    days.member::integer as day_of_week,
    hours.hour,
    shown_weeks.week_start + (days.member::integer + 6) % 7 as cell_date,
    days.label_es as day_label_es,
    days.label_en as day_label_en,
    lpad(hours.hour::text, 2, '0') as hour_label,
    coalesce(cells.conversation_count, 0)::integer as conversation_count,
    coalesce(cells.first_response_count, 0)::integer as first_response_count,
    cells.mean_first_response_seconds,
    cells.percentiles[1] as p50_first_response_seconds,
    cells.percentiles[2] as p90_first_response_seconds,
    coalesce(cells.met_count, 0)::integer as sla_first_response_met_count,
    coalesce(cells.breached_count, 0)::integer as sla_first_response_breached_count,
    {{ sla_rate('cells.met_count', 'cells.breached_count') }} as sla_first_response_rate
from shown_weeks
cross join sources
cross join {{ ref('labels') }} as days
cross join generate_series(0, 23) as hours (hour)
left join cells
    on cells.week_start = shown_weeks.week_start
    and cells.source = sources.source
    and cells.day_of_week = days.member::integer
    and cells.hour = hours.hour
where days.label_set = 'day_of_week'
