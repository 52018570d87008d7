-- Deleting a parent, and joining from it, reads the whole child.
select
    schema_name,
    schema_name || '.' || table_name || '.' || constraint_name as object,
    case when row_count >= 10000 then 'warning' else 'info' end as severity,
    format(
        'no valid index begins with %s; %s rows', array_to_string(names, ', '), coalesce(row_count::text, 'unknown')
    ) as evidence,
    case
        when is_partitioned then format(
            E'create index %I on only %I.%I (%s);\n%s',
            index_name, schema_name, table_name, column_list, coalesce(each_partition, '')
        )
        else format('create index concurrently %I on %I.%I (%s);', index_name, schema_name, table_name, column_list)
    end as fix
from (
    select
        keys.*,
        tables.is_partitioned,
        (select audited_roots.row_count from audited_roots where audited_roots.oid = tables.root_oid) as row_count,
        (select string_agg(quote_ident(name), ', ') from unnest(keys.names) as name) as column_list,
        left(keys.table_name || '_' || array_to_string(keys.names, '_'), 55) || '_idx' as index_name,
        (
            select
                string_agg(
                    format(
                        E'create index concurrently %I on %I.%I (%s);\nalter index %I.%I attach partition %I.%I;',
                        left(parts.table_name, 50) || '_fk_idx', parts.schema_name, parts.table_name,
                        (select string_agg(quote_ident(name), ', ') from unnest(keys.names) as name),
                        keys.schema_name, left(keys.table_name || '_' || array_to_string(keys.names, '_'), 55) || '_idx',
                        parts.schema_name, left(parts.table_name, 50) || '_fk_idx'
                    ),
                    E'\n' order by parts.table_name
                )
            from pg_inherits
            inner join audited_tables as parts on parts.oid = pg_inherits.inhrelid
            where pg_inherits.inhparent = keys.table_oid
        ) as each_partition
    from audited_foreign_keys as keys
    inner join audited_tables as tables on tables.oid = keys.table_oid
    inner join audited_schemas on audited_schemas.schema_name = keys.schema_name and not audited_schemas.is_made_by_dbt
    where keys.indexes = '{}'
) as found
