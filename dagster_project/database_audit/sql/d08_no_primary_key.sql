-- Of tables that dbt makes a unique index is enough: its tests hold that the columns are never NULL.
select
    tables.schema_name,
    tables.schema_name || '.' || tables.table_name as object,
    'warning' as severity,
    'no primary key, so a doubled row cannot be told from another' as evidence,
    format('alter table %I.%I add primary key (…);', tables.schema_name, tables.table_name) as fix
from audited_tables as tables
inner join audited_schemas on audited_schemas.schema_name = tables.schema_name
inner join pg_class on pg_class.oid = tables.oid and pg_class.relkind in ('r', 'p')
where audited_schemas.has_keys
    and not tables.is_partition
    and not exists (
        select
        from audited_indexes as indexes
        where indexes.table_oid = tables.oid
            and indexes.is_valid
            and (
                indexes.is_primary
                or (
                    indexes.is_unique
                    and indexes.predicate is null
                    and (not indexes.has_expression or audited_schemas.is_made_by_dbt)
                    and (
                        audited_schemas.is_made_by_dbt
                        or not exists (
                            select
                            from pg_attribute
                            where pg_attribute.attrelid = tables.oid
                                and pg_attribute.attnum
                                = any(indexes.column_numbers[0:indexes.key_count - 1])
                                and not pg_attribute.attnotnull
                        )
                    )
                )
            )
    )
