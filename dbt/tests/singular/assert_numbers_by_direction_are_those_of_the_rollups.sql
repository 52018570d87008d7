{{ config(tags='all_history', meta={'dagster': {'ref': {'name': 'response_times_by_direction'}}}) }}

-- The newest two weeks, or all with test_everything: what is told by direction agrees with the rollups that others read.
with weeks as (
    select distinct created_week_start as week_start from {{ ref('chat_response_times') }}
    where created_week_start >= (
        select max(newest.created_week_start) {% if not var('test_everything') %}- 7{% else %}- 3650{% endif %}
        from {{ ref('chat_response_times') }} as newest
    )
),

times as (
    select
        times.period_start as week_start,
        times.metric || ' ' || times.clock || ' ' || times.direction as what,
        times.count::double precision as here,
        rollup.count as there,
        times.p50_seconds as median_here,
        rollup.p50_seconds as median_there
    from weeks
    inner join {{ ref('response_times_by_direction') }} as times
        on times.period = 'week' and times.period_start = weeks.week_start and times.scope = 'all'
        and {{ is_of('weeks', 'times.period_start', 'week_start') }}
    left join {{ ref('response_times_weekly') }} as rollup
        on rollup.period_start = times.period_start
        and rollup.scope = 'direction'
        and rollup.scope_id = times.direction
        and rollup.metric = times.metric
        and rollup.clock = times.clock
),

sla as (
    select
        weeks.week_start,
        'sla ' || here.metric || ' ' || here.clock || ' ' || here.direction as what,
        here.met_count::double precision as here,
        (
            select sum(days.met_count) from {{ ref('sla_daily') }} as days
            where days.local_date between weeks.week_start and weeks.week_start + 6
                and days.scope = 'direction' and days.scope_id = here.direction
                and days.metric = here.metric and days.clock = here.clock
        ) as there,
        null::double precision as median_here,
        null::double precision as median_there
    from weeks
    inner join {{ ref('sla_by_direction') }} as here
        on here.period = 'week' and here.period_start = weeks.week_start and here.scope = 'all'
        and {{ is_of('weeks', 'here.period_start', 'week_start') }}
),

slots as (
    select
        weeks.week_start,
        named.slot || ' ' || here.direction as what,
        (here.day_of_week * 100 + here.hour)::double precision as here,
        named.place as there,
        null::double precision as median_here,
        null::double precision as median_there
    from weeks
    inner join {{ ref('slots_by_direction') }} as here
        on here.period = 'week' and here.period_start = weeks.week_start and here.scope = 'all'
        and {{ is_of('weeks', 'here.period_start', 'week_start') }}
    inner join {{ ref('weekly_response_time_summary') }} as summary
        on summary.week_start = here.period_start
        and summary.agent_id = 'all'
        and summary.direction_filter = here.direction
        and summary.office_hours_filter = 'all'
    cross join lateral (
        values
        ('slowest slot', here.slowest_rank, summary.slowest_day_of_week * 100 + summary.slowest_hour),
        ('fastest slot', here.fastest_rank, summary.fastest_day_of_week * 100 + summary.fastest_hour)
    ) as named (slot, rank, place)
    where named.rank = 1
),

bands as (
    select
        weeks.week_start,
        'band ' || here.direction || ' ' || here.day_of_week || ' ' || here.hour as what,
        array_position(array['fast', 'average', 'slow'], here.band)::double precision as here,
        array_position(array['fast', 'average', 'slow'], cells.band) as there,
        here.p50_first_response_seconds as median_here,
        cells.p50_first_response_seconds as median_there
    from weeks
    inner join {{ ref('slots_by_direction') }} as here
        on here.period = 'week' and here.period_start = weeks.week_start and here.scope = 'all' and here.chat_count > 0
        and {{ is_of('weeks', 'here.period_start', 'week_start') }}
    inner join {{ ref('heatmap_cells') }} as cells
        on cells.week_start = here.period_start
        and cells.scope = 'all'
        and cells.direction_filter = here.direction
        and cells.office_hours_filter = 'all'
        and cells.day_of_week = here.day_of_week
        and cells.hour = here.hour
)

select * from (
    select * from times union all select * from sla union all select * from slots union all select * from bands
) as compared
where here is distinct from there or abs(median_here - median_there) > 0.001
