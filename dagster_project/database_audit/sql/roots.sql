-- A partitioned table's own size is 0: its tree is what it holds.
create temporary table audited_roots on commit drop as
select
    roots.oid,
    roots.schema_name,
    roots.table_name,
    roots.is_partitioned,
    case when count(leaves.oid) = count(leaves.row_count) then coalesce(sum(leaves.row_count), 0)::bigint end as row_count,
    coalesce(sum(leaves.heap_bytes), 0)::bigint as heap_bytes,
    coalesce(sum(leaves.index_bytes), 0)::bigint as index_bytes,
    coalesce(sum(leaves.toast_bytes), 0)::bigint as toast_bytes,
    coalesce(sum(leaves.seq_scan_count), 0)::bigint as seq_scan_count,
    coalesce(sum(leaves.seq_tuple_count), 0)::bigint as seq_tuple_count,
    coalesce(sum(leaves.inserted_count), 0)::bigint as inserted_count,
    coalesce(sum(leaves.deleted_count), 0)::bigint as deleted_count
from audited_tables as roots
left join audited_tables as leaves on leaves.root_oid = roots.oid and not leaves.is_partitioned
where not roots.is_partition
group by roots.oid, roots.schema_name, roots.table_name, roots.is_partitioned;

analyze audited_tables, audited_indexes, audited_foreign_keys, audited_roots;
