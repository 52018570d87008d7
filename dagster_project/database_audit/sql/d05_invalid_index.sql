-- An index that a failed `create index concurrently` left costs writes and serves nobody. One that is being built is
-- not yet valid. A partitioned one is invalid until each partition has its own, and by a bug of Postgres sometimes
-- after it: the partition that lacks it is the finding.
select
    schema_name,
    schema_name || '.' || index_name as object,
    'error' as severity,
    format('invalid: on %s', table_name) as evidence,
    format('reindex index concurrently %I.%I;', schema_name, index_name) as fix
from audited_indexes
where not is_valid
    and not is_partitioned
    and oid not in (select index_relid from pg_stat_progress_create_index where index_relid is not null)

union all

select
    indexes.schema_name,
    indexes.schema_name || '.' || indexes.index_name || ' on ' || parts.table_name as object,
    'error' as severity,
    'the partition has no index attached to it' as evidence,
    format(
        E'create index concurrently on %I.%I (%s);\nalter index %I.%I attach partition …;', parts.schema_name,
        parts.table_name, array_to_string(indexes.columns[1:indexes.key_count], ', '), indexes.schema_name,
        indexes.index_name
    ) as fix
from audited_indexes as indexes
inner join pg_inherits on pg_inherits.inhparent = indexes.table_oid
inner join audited_tables as parts on parts.oid = pg_inherits.inhrelid
where indexes.is_partitioned
    and not indexes.is_valid
    and not exists (select from pg_stat_progress_create_index where relid = parts.oid)
    and not exists (
        select
        from pg_inherits as attached
        inner join audited_indexes as children on children.oid = attached.inhrelid
        where attached.inhparent = indexes.oid and children.table_oid = parts.oid
    )
