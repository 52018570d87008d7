-- A partitioned table's own size is 0: its tree is what it holds.
create temporary table audited_roots on commit drop as
select
    roots.oid,
    roots.schema_name,
    roots.table_name,
    roots.is_partitioned,
    case when count(*) = count(leaves.row_count) then sum(leaves.row_count)::bigint end as row_count,
    sum(leaves.heap_bytes)::bigint as heap_bytes,
    sum(leaves.index_bytes)::bigint as index_bytes,
    sum(leaves.toast_bytes)::bigint as toast_bytes,
    sum(leaves.seq_scan_count)::bigint as seq_scan_count,
    sum(leaves.seq_tuple_count)::bigint as seq_tuple_count,
    sum(leaves.inserted_count)::bigint as inserted_count,
    sum(leaves.deleted_count)::bigint as deleted_count
from audited_tables as roots
inner join audited_tables as leaves on leaves.root_oid = roots.oid and not leaves.is_partitioned
where not roots.is_partition
group by roots.oid, roots.schema_name, roots.table_name, roots.is_partitioned;

analyze audited_tables, audited_indexes, audited_foreign_keys, audited_roots;
