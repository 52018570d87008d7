-- Whoever calls it chooses the search_path, and with it what its names mean; or what names of tables mean in pg_temp, where
-- Postgres looks first unless it is named.
select
    pg_namespace.nspname::text as schema_name,
    pg_namespace.nspname || '.' || pg_proc.proname as object,
    'error' as severity,
    case
        when given.search_path is null then 'security definer without a search_path of its own'
        else 'security definer that looks into its caller''s pg_temp first'
    end as evidence,
    format(
        'alter function %s set search_path = %s, pg_temp;', pg_proc.oid::regprocedure,
        coalesce(given.search_path, 'pg_catalog, …')
    ) as fix
from pg_proc
inner join pg_namespace on pg_namespace.oid = pg_proc.pronamespace
inner join audited_schemas on audited_schemas.schema_name = pg_namespace.nspname
left join lateral (
    select substr(setting, 13) as search_path
    from unnest(pg_proc.proconfig) as setting
    where setting like 'search_path=%'
) as given on true
where pg_proc.prosecdef
    and coalesce(given.search_path, '') !~ '\mpg_temp\M"?$'
    and not exists (
        select from pg_depend
        where pg_depend.classid = 'pg_proc'::regclass and pg_depend.objid = pg_proc.oid and pg_depend.deptype = 'e'
    )
