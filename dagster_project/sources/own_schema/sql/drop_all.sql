-- Everything but the schema itself and Alembic's table. One by one, for each takes others with it.
do $$
declare
    statement text;
begin
    loop
        select format('drop function %s cascade', oid::regprocedure) into statement from pg_proc
        where pronamespace = '{schema}'::regnamespace limit 1;
        exit when statement is null;
        execute statement;
    end loop;
    for statement in
        select format('drop table {schema}.%I cascade', relname) from pg_class
        where relnamespace = '{schema}'::regnamespace and relkind in ('r', 'p') and not relispartition
            and relname <> 'alembic_version'
    loop
        execute statement;
    end loop;
    for statement in
        select format('drop type {schema}.%I', typname) from pg_type
        where typnamespace = '{schema}'::regnamespace and typtype = 'e'
    loop
        execute statement;
    end loop;
end $$;
