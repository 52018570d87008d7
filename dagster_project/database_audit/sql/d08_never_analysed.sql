-- Planned blindly. A table that was made since the last snapshot may still be waiting for autovacuum.
select
    tables.schema_name,
    tables.schema_name || '.' || tables.table_name as object,
    'warning' as severity,
    format('%s rows and no statistics since %s', tables.live_count, seen.taken_on) as evidence,
    format('analyze %I.%I;', tables.schema_name, tables.table_name) as fix
from audited_tables as tables
inner join audited_tables as roots on roots.oid = tables.root_oid
inner join lateral (
    select snapshots.taken_on
    from ops.database_table_snapshots as snapshots
    cross join audit_day
    where snapshots.schema_name = roots.schema_name
        and snapshots.table_name = roots.table_name
        and snapshots.table_oid = roots.oid
        and snapshots.taken_on < audit_day.today
    order by snapshots.taken_on desc
    limit 1
) as seen on true
where tables.live_count >= 10000
    and not tables.is_partitioned
    and tables.analyzed_at is null
    and tables.auto_analyzed_at is null
