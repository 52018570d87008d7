-- Growth by Theil and Sen: the median of the slopes between all pairs of days, which a day out of line hardly moves.
with thresholds as (
    select unnest(array[1000000, 10000000, 50000000]::bigint[]) as threshold_row_count
),

newest as (
    select max(day) as day from {{ ref('database_sizes_daily') }}
),

-- The last 28 days of the tables that are still there, by whole days.
recent as (
    select
        sizes.schema_name,
        sizes.table_name,
        sizes.day,
        sizes.row_count,
        sizes.inserted_count,
        sizes.elapsed_seconds,
        sizes.day - newest.day as place
    from {{ ref('database_sizes_daily') }} as sizes
    cross join newest
    where sizes.day > newest.day - 28
        and sizes.row_count is not null
),

-- A table that is made anew is small for some days, and then what it was.
surrounded as (
    select
        recent.*,
        coalesce(recent.row_count < 0.8 * before.level and later.level >= 0.8 * before.level, false) as is_rebuild,
        later.level as later_level
    from recent
    cross join lateral (
        select percentile_cont(0.5) within group (order by others.row_count) as level
        from recent as others
        where others.schema_name = recent.schema_name
            and others.table_name = recent.table_name
            and others.day < recent.day
    ) as before
    cross join lateral (
        select percentile_cont(0.5) within group (order by others.row_count) as level
        from recent as others
        where others.schema_name = recent.schema_name
            and others.table_name = recent.table_name
            and others.day > recent.day
    ) as later
),

steps as (
    select
        *,
        row_count - lag(row_count) over by_day as step,
        day - lag(day) over by_day as step_days,
        lag(row_count) over by_day as row_count_before
    from surrounded
    where not is_rebuild
    window by_day as (partition by schema_name, table_name order by day)
),

usual as (
    select
        schema_name,
        table_name,
        percentile_cont(0.5) within group (order by step::double precision / step_days) as daily_step,
        percentile_cont(0.5) within group (
            order by inserted_count * 86400.0 / nullif(elapsed_seconds, 0)
        ) as daily_insert_count
    from steps
    group by schema_name, table_name
),

-- Rows that were brought at once and stayed are no growth: the days after them are lowered by what was too much.
flagged as (
    select
        steps.*,
        coalesce(
            usual.daily_step > 0
            and steps.step > 10 * usual.daily_step * steps.step_days
            and coalesce(steps.later_level, steps.row_count) >= steps.row_count_before + steps.step / 2.0,
            false
        ) as is_backfill,
        usual.daily_step,
        usual.daily_insert_count
    from steps
    inner join usual on usual.schema_name = steps.schema_name and usual.table_name = steps.table_name
),

points as (
    select
        *,
        row_count - sum(case when is_backfill then step - daily_step * step_days else 0 end) over (
            partition by schema_name, table_name order by day
        ) as steady_count,
        2 * place < min(place) over by_table + max(place) over by_table as is_first_half
    from flagged
    window by_table as (partition by schema_name, table_name)
),

medians as (
    {{- median_slopes('points') }}
),

counts as (
    select
        schema_name,
        table_name,
        count(*) filter (where not is_rebuild)::integer as point_count,
        count(*) filter (where is_rebuild)::integer as rebuild_day_count
    from surrounded
    group by schema_name, table_name
),

backfills as (
    select
        schema_name,
        table_name,
        max(daily_insert_count) as daily_insert_count,
        count(*) filter (where is_backfill)::integer as backfill_day_count
    from flagged
    group by schema_name, table_name
),

now_there as (
    select
        sizes.schema_name,
        sizes.table_name,
        sizes.day,
        sizes.row_count,
        sizes.total_bytes,
        sizes.kept_days,
        coalesce(counts.point_count, 0) as point_count,
        coalesce(counts.rebuild_day_count, 0) as rebuild_day_count,
        coalesce(backfills.backfill_day_count, 0) as backfill_day_count,
        case when counts.point_count >= 7 then medians.slope end as slope,
        case when counts.point_count >= 7 then medians.growth end as growth,
        counts.point_count >= 7
        and medians.first_slope > 0
        and medians.second_slope >= 1.5 * medians.first_slope as is_accelerating,
        -- What is kept for so long levels off at so much.
        coalesce(backfills.daily_insert_count, medians.slope) * sizes.kept_days as level_count
    from {{ ref('database_sizes_daily') }} as sizes
    inner join newest on newest.day = sizes.day
    left join counts on counts.schema_name = sizes.schema_name and counts.table_name = sizes.table_name
    left join backfills on backfills.schema_name = sizes.schema_name and backfills.table_name = sizes.table_name
    left join medians on medians.schema_name = sizes.schema_name and medians.table_name = sizes.table_name
),

-- To the millionth of a day, so that a straight line meets its very day.
distances as (
    select
        now_there.*,
        thresholds.threshold_row_count,
        case when now_there.slope > 0 then
            ceil(round(((thresholds.threshold_row_count - now_there.row_count) / now_there.slope)::numeric, 6))
        end as days_left,
        case when now_there.is_accelerating and now_there.growth > 0 and now_there.row_count > 0 then
            ceil(
                round((ln(thresholds.threshold_row_count::double precision / now_there.row_count) / now_there.growth)::numeric, 6)
            )
        end as compound_days_left
    from now_there
    cross join thresholds
),

states as (
    select
        *,
        case
            when row_count >= threshold_row_count then 'passed'
            when point_count < 7 then 'insufficient_history'
            when level_count < threshold_row_count then 'never_by_retention'
            when slope <= 0 then 'not_growing'
            when days_left > 3652 then 'beyond_horizon'
            else 'projected'
        end as state
    from distances
)

select
    schema_name,
    table_name,
    threshold_row_count,
    day as as_of_date,
    row_count,
    slope as daily_row_growth,
    total_bytes::double precision / nullif(row_count, 0) as bytes_per_row,
    state,
    case when state = 'projected' then days_left::integer end as days_left,
    case when state = 'projected' then day + days_left::integer end as reached_date,
    coalesce(is_accelerating, false) as is_accelerating,
    case when state = 'projected' and compound_days_left <= 3652 then day + compound_days_left::integer end
    as compound_reached_date,
    level_count::bigint as retained_row_count,
    point_count,
    rebuild_day_count,
    backfill_day_count
from states
