-- By the last day that can be judged. Builds and exports read whole tables on purpose: of their schemas a table is
-- named only together with a slow statement that reads it.
with days as (
    select distinct on (sizes.schema_name, sizes.table_name) sizes.*
    from marts.database_sizes_daily as sizes
    cross join audit_day
    where sizes.day > audit_day.today - 3 and sizes.day <= audit_day.today and sizes.seq_tuple_count is not null
    order by sizes.schema_name, sizes.table_name, sizes.day desc
)

select
    days.schema_name,
    days.schema_name || '.' || days.table_name as object,
    'warning' as severity,
    format(
        '%s rows read by %s sequential scans on %s, of a table of %s', days.seq_tuple_count, days.seq_scan_count,
        days.day, days.row_count
    ) || coalesce('; slow: ' || slow.statement, '') as evidence,
    'find the statement, then an index for its condition: explain (analyze, buffers) …' as fix
from days
inner join audited_schemas on audited_schemas.schema_name = days.schema_name
inner join audited_roots
    on audited_roots.schema_name = days.schema_name and audited_roots.table_name = days.table_name
left join lateral (
    select statements.statement
    from marts.slow_statements_daily as statements
    where statements.day = days.day and statements.is_slow and position(days.table_name in statements.statement) > 0
    order by statements.total_seconds desc
    limit 1
) as slow on true
where days.row_count >= 10000
    and days.seq_tuple_count >= 50 * days.row_count
    and days.seq_tuple_count >= 10000000
    and (slow.statement is not null or not audited_schemas.is_read_whole)
