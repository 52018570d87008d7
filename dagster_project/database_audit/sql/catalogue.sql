-- One image of the catalogues, which all checks read: what a build swaps meanwhile cannot make them disagree.
-- audited_schemas and audit_day are there already.
create temporary table audited_tables on commit drop as
select
    pg_class.oid,
    coalesce(pg_partition_root(pg_class.oid)::oid, pg_class.oid) as root_oid,
    pg_namespace.nspname::text as schema_name,
    pg_class.relname::text as table_name,
    pg_class.relkind = 'p' as is_partitioned,
    pg_class.relispartition as is_partition,
    pg_class.reltuples,
    -- Nobody has counted a table that was never analysed; an empty file needs no counting.
    case
        when pg_relation_size(pg_class.oid) = 0 then 0
        when coalesce(
            pg_stat_get_last_analyze_time(pg_class.oid), pg_stat_get_last_autoanalyze_time(pg_class.oid)
        ) is not null then pg_stat_get_live_tuples(pg_class.oid)
    end as row_count,
    pg_stat_get_live_tuples(pg_class.oid) as live_count,
    pg_stat_get_dead_tuples(pg_class.oid) as dead_count,
    pg_stat_get_last_analyze_time(pg_class.oid) as analyzed_at,
    pg_stat_get_last_autoanalyze_time(pg_class.oid) as auto_analyzed_at,
    greatest(
        pg_stat_get_last_vacuum_time(pg_class.oid), pg_stat_get_last_autovacuum_time(pg_class.oid)
    ) as vacuumed_at,
    pg_relation_size(pg_class.oid) as heap_bytes,
    pg_indexes_size(pg_class.oid) as index_bytes,
    case when pg_class.reltoastrelid = 0 then 0 else pg_total_relation_size(pg_class.reltoastrelid) end as toast_bytes,
    pg_stat_get_numscans(pg_class.oid) as seq_scan_count,
    pg_stat_get_tuples_returned(pg_class.oid) as seq_tuple_count,
    pg_stat_get_tuples_inserted(pg_class.oid) as inserted_count,
    pg_stat_get_tuples_deleted(pg_class.oid) as deleted_count,
    greatest(age(pg_class.relfrozenxid), age(toast.relfrozenxid)) as transaction_age
from pg_class
inner join pg_namespace on pg_namespace.oid = pg_class.relnamespace
inner join audited_schemas on audited_schemas.schema_name = pg_namespace.nspname
left join pg_class as toast on toast.oid = pg_class.reltoastrelid
where pg_class.relkind in ('r', 'p', 'm') and pg_class.relpersistence <> 't';

create temporary table audited_indexes on commit drop as
select
    pg_index.indexrelid as oid,
    pg_index.indrelid as table_oid,
    coalesce(pg_partition_root(pg_index.indexrelid)::oid, pg_index.indexrelid) as root_oid,
    audited_tables.schema_name,
    audited_tables.table_name,
    pg_class.relname::text as index_name,
    pg_class.relkind = 'I' as is_partitioned,
    pg_class.relispartition as is_attached,
    pg_am.amname::text as method,
    pg_index.indisunique as is_unique,
    pg_index.indisprimary as is_primary,
    pg_index.indisexclusion as is_exclusion,
    pg_index.indisreplident as is_replica_identity,
    pg_index.indisvalid and pg_index.indisready as is_valid,
    pg_index.indnkeyatts as key_count,
    pg_index.indkey::smallint[] as column_numbers, -- counted from 0; 0 is an expression
    pg_index.indnullsnotdistinct as is_null_equal,
    -- A column by itself says too little: collation, operators and order decide whom an index can stand in for.
    array(
        select
            pg_get_indexdef(pg_index.indexrelid, place, true)
            || format(
                ' %s %s %s',
                pg_index.indclass[place - 1], pg_index.indcollation[place - 1], pg_index.indoption[place - 1]
            )
        from generate_series(1, pg_index.indnkeyatts) as place
        order by place
    ) as keys,
    array(
        select pg_get_indexdef(pg_index.indexrelid, place, true)
        from generate_series(1, pg_index.indnatts) as place
        order by place
    ) as columns,
    array(
        select pg_get_indexdef(pg_index.indexrelid, place, true)
        from generate_series(pg_index.indnkeyatts + 1, pg_index.indnatts) as place
        order by 1
    ) as included,
    pg_get_expr(pg_index.indpred, pg_index.indrelid) as predicate,
    pg_index.indexprs is not null as has_expression,
    exists (
        select from pg_constraint
        where pg_constraint.conindid = pg_index.indexrelid and pg_constraint.contype in ('p', 'u', 'x')
    ) as is_of_constraint,
    pg_relation_size(pg_index.indexrelid) as bytes,
    pg_stat_get_numscans(pg_index.indexrelid) as scan_count
from pg_index
inner join pg_class on pg_class.oid = pg_index.indexrelid
inner join pg_am on pg_am.oid = pg_class.relam
inner join audited_tables on audited_tables.oid = pg_index.indrelid;

-- Partitions inherit their keys: the root's stands for them.
create temporary table audited_foreign_keys on commit drop as
select
    pg_constraint.oid,
    pg_constraint.conrelid as table_oid,
    pg_constraint.confrelid as referenced_oid,
    audited_tables.schema_name,
    audited_tables.table_name,
    pg_constraint.conname::text as constraint_name,
    pg_constraint.conkey as column_numbers,
    pg_constraint.confkey as referenced_numbers,
    columns.names,
    -- An index serves where the key's columns, in any order, are its first ones; INCLUDE columns cannot be searched. A
    -- partial one serves only if all it leaves out is NULL.
    array(
        select audited_indexes.oid
        from audited_indexes
        where audited_indexes.table_oid = pg_constraint.conrelid
            and audited_indexes.is_valid
            and audited_indexes.method in ('btree', 'hash')
            and audited_indexes.key_count >= cardinality(pg_constraint.conkey)
            and audited_indexes.column_numbers[0:cardinality(pg_constraint.conkey) - 1] @> pg_constraint.conkey
            and audited_indexes.column_numbers[0:cardinality(pg_constraint.conkey) - 1] <@ pg_constraint.conkey
            and not exists (
                select
                from unnest(string_to_array(translate(audited_indexes.predicate, '()', ''), ' AND ')) as condition
                where condition <> all (
                    array(select quote_ident(name) || ' IS NOT NULL' from unnest(columns.names) as name)
                )
            )
    ) as indexes
from pg_constraint
inner join audited_tables on audited_tables.oid = pg_constraint.conrelid
cross join lateral (
    select array_agg(pg_attribute.attname::text order by place) as names
    from unnest(pg_constraint.conkey) with ordinality as key (number, place)
    inner join pg_attribute
        on pg_attribute.attrelid = pg_constraint.conrelid and pg_attribute.attnum = key.number
) as columns
where pg_constraint.contype = 'f' and pg_constraint.conparentid = 0;
