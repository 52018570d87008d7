-- Whoever calls it chooses the search_path, and with it what its names mean.
select
    pg_namespace.nspname::text as schema_name,
    pg_namespace.nspname || '.' || pg_proc.proname as object,
    'error' as severity,
    'security definer without a search_path of its own' as evidence,
    format('alter function %s set search_path = pg_catalog, …;', pg_proc.oid::regprocedure) as fix
from pg_proc
inner join pg_namespace on pg_namespace.oid = pg_proc.pronamespace
inner join audited_schemas on audited_schemas.schema_name = pg_namespace.nspname
where pg_proc.prosecdef
    and not exists (select from unnest(pg_proc.proconfig) as setting where setting like 'search_path=%')
    and not exists (
        select from pg_depend
        where pg_depend.classid = 'pg_proc'::regclass and pg_depend.objid = pg_proc.oid and pg_depend.deptype = 'e'
    )
