-- Where a search_path does not name pg_temp, Postgres looks there first: whoever calls a function with its owner's rights
-- could put a view of their own in the place of a catalog, and have it run with these rights.
do $$
declare
    one regprocedure;
begin
    for one in
        select oid from pg_proc
        where pronamespace = '{schema}'::regnamespace and proconfig @> array['search_path=pg_catalog']
    loop
        execute format('alter function %s set search_path = pg_catalog, pg_temp', one);
    end loop;
end $$;
