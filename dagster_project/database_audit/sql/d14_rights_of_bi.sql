-- What BI reads beyond the marts, by its own grants or by those of everybody.
select
    pg_namespace.nspname::text as schema_name,
    pg_namespace.nspname || '.' || pg_class.relname as object,
    'error' as severity,
    'bi_reader can read it' as evidence,
    format('revoke all on %I.%I from bi_reader, public;', pg_namespace.nspname, pg_class.relname) as fix
from pg_class
inner join pg_namespace on pg_namespace.oid = pg_class.relnamespace
inner join audited_schemas on audited_schemas.schema_name = pg_namespace.nspname
inner join pg_roles on pg_roles.rolname = 'bi_reader'
where pg_class.relkind in ('r', 'v', 'm', 'p', 'f')
    and pg_namespace.nspname <> 'marts'
    and has_schema_privilege(pg_roles.oid, pg_namespace.oid, 'usage')
    and has_any_column_privilege(pg_roles.oid, pg_class.oid, 'select')
