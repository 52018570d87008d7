-- A view over the snapshots of the database audit, a few hundred rows a day.
with readings as (
    select
        sizes.*,
        snapshots.taken_at,
        snapshots.system_identifier,
        snapshots.stats_reset_at
    from {{ source('ops', 'database_table_snapshots') }} as sizes
    inner join {{ source('ops', 'database_snapshots') }} as snapshots on snapshots.taken_on = sizes.taken_on
),

paired as (
    select
        readings.*,
        lag(readings.taken_at) over by_day as taken_at_before,
        lag(readings.table_oid) over by_day as table_oid_before,
        coalesce(lag(readings.system_identifier) over by_day, '') as system_identifier_before,
        coalesce(lag(readings.stats_reset_at) over by_day, '-infinity') as stats_reset_at_before,
        readings.seq_scan_count - lag(readings.seq_scan_count) over by_day as seq_scans,
        readings.seq_tuple_count - lag(readings.seq_tuple_count) over by_day as seq_tuples,
        readings.inserted_count - lag(readings.inserted_count) over by_day as inserts,
        readings.deleted_count - lag(readings.deleted_count) over by_day as deletes
    from readings
    window by_day as (partition by readings.schema_name, readings.table_name order by readings.taken_on)
),

-- Counters of another table, or of another count, have nothing in common but the name.
judged as (
    select
        *,
        extract(epoch from taken_at - taken_at_before)::bigint as elapsed_seconds,
        coalesce(
            table_oid = table_oid_before
            and coalesce(system_identifier, '') = system_identifier_before
            and coalesce(stats_reset_at, '-infinity') = stats_reset_at_before
            and least(seq_scans, seq_tuples, inserts, deletes) >= 0,
            false
        ) as is_comparable
    from paired
)

select
    schema_name,
    table_name,
    taken_on as day,
    row_count,
    heap_bytes,
    index_bytes,
    toast_bytes,
    heap_bytes + index_bytes + toast_bytes as total_bytes,
    kept_days,
    case when is_comparable then elapsed_seconds end as elapsed_seconds,
    case when is_comparable then seq_scans end as seq_scan_count,
    case when is_comparable then seq_tuples end as seq_tuple_count,
    case when is_comparable then inserts end as inserted_count,
    case when is_comparable then deletes end as deleted_count
from judged
