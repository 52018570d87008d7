-- What each write does by itself, months made ahead, and who may read what.
do $$
declare
    table_name name;
begin
    for table_name in
        select relname from pg_class
        where relnamespace = 'calls'::regnamespace and relkind in ('r', 'p') and relname <> 'alembic_version'
    loop
        execute format(
            'create index %I on calls.%I (row_xid)', 'idx_' || table_name || '_row_xid', table_name
        );
        execute format(
            'create trigger touch before insert or update on calls.%I for each row execute function calls.touch()',
            table_name
        );
    end loop;
end $$;

-- What the job keep_partitions calls: this month and the next three.
create function calls.keep_partitions(at timestamptz default now()) returns integer
language sql security definer set search_path = pg_catalog
begin atomic
    select calls.keep_months((at at time zone 'UTC')::date, (at at time zone 'UTC' + interval '3 months')::date);
end;

revoke all on schema calls from public;
grant usage on schema calls to calls_reader;
revoke execute on all functions in schema calls from public;
grant select on all tables in schema calls to calls_reader;
-- Whoever has the token of an invitation can accept it.
revoke select on calls.invites from calls_reader;
do $$
begin
    execute (
        select format('grant select (%s) on calls.invites to calls_reader', string_agg(quote_ident(attname), ', '))
        from pg_attribute
        where attrelid = 'calls.invites'::regclass and attnum > 0 and attname <> 'token'
    );
end $$;
select calls.keep_partitions();
