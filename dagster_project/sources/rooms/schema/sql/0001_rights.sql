-- Who reads and runs what. Rows are written by functions alone, which have their owner's rights.
revoke all on schema rooms from public;
grant usage on schema rooms to rooms_app, rooms_reader, rooms_supervisor;
revoke execute on all functions in schema rooms from public;
grant select on all tables in schema rooms to rooms_reader;
revoke select on rooms.users from rooms_reader;
do $$
begin
    execute (
        select format('grant select (%s) on rooms.users to rooms_reader', string_agg(quote_ident(attname), ', '))
        from pg_attribute
        where attrelid = 'rooms.users'::regclass and attnum > 0 and attname <> 'password_hash'
    );
end $$;
select rooms.keep_partitions();
