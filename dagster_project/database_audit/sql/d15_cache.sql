with days as (
    select
        taken_on,
        block_read_count - lag(block_read_count) over by_day as read_count,
        block_hit_count - lag(block_hit_count) over by_day as hit_count,
        system_identifier = lag(system_identifier) over by_day
        and stats_reset_at is not distinct from lag(stats_reset_at) over by_day as is_comparable
    from ops.database_snapshots
    window by_day as (order by taken_on)
)

select
    'database' as schema_name,
    'cache' as object,
    'info' as severity,
    format('%s %% of the blocks read on %s were in memory', round(100.0 * hit_count / (hit_count + read_count), 1), taken_on)
    as evidence,
    'raise shared_buffers, or look which tables are read whole' as fix
from days
where taken_on = (select max(taken_on) from days)
    and is_comparable
    and read_count >= 0
    and hit_count >= 0
    and read_count + hit_count >= 1000000 -- 8 GB: less says nothing
    and hit_count < 0.99 * (hit_count + read_count)
