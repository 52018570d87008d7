-- The counters of today, by name: dbt makes tables anew under other oids. One a day: whoever comes second adds nothing.
insert into ops.database_table_snapshots (
    taken_on, schema_name, table_name, table_oid, kept_days, row_count, heap_bytes, index_bytes, toast_bytes,
    seq_scan_count, seq_tuple_count, inserted_count, deleted_count
)
select
    audit_day.today, roots.schema_name, roots.table_name, roots.oid, kept.kept_days, roots.row_count, roots.heap_bytes,
    roots.index_bytes, roots.toast_bytes, roots.seq_scan_count, roots.seq_tuple_count, roots.inserted_count,
    roots.deleted_count
from audited_roots as roots
cross join audit_day
left join audited_retention as kept
    on kept.schema_name = roots.schema_name and kept.table_name = roots.table_name;

insert into ops.database_index_snapshots (taken_on, schema_name, index_name, index_oid, table_name, bytes, scan_count)
select
    audit_day.today, roots.schema_name, roots.index_name, roots.oid, roots.table_name, sum(leaves.bytes),
    sum(leaves.scan_count)
from audited_indexes as roots
inner join audited_indexes as leaves on leaves.root_oid = roots.oid and not leaves.is_partitioned
cross join audit_day
where roots.root_oid = roots.oid
group by audit_day.today, roots.schema_name, roots.index_name, roots.oid, roots.table_name;

delete from ops.database_index_snapshots using audit_day where taken_on < audit_day.today - 70;
delete from ops.database_statement_snapshots using audit_day where taken_on < audit_day.today - 70;
