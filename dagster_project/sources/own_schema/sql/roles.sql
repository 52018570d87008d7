-- Roles are the server's, not the database's: another database of it may have made them, even at this moment.
do $$
declare
    role_name text;
begin
    foreach role_name in array array[{roles}] loop
        if to_regrole(role_name) is null then
            begin
                execute format('create role %I nologin', role_name);
            exception when duplicate_object or unique_violation then
                null;
            end;
        end if;
        if not pg_has_role(role_name, 'usage') then
            execute format('grant %I to current_user', role_name);
        end if;
    end loop;
    if to_regnamespace('{schema}') is null then
        execute format('create schema {schema} authorization %I', (array[{roles}])[1]);
    end if;
end $$;
