-- What time it is, for all that the schema writes: the server's. Whoever is a member of the owner may set another one for
-- a transaction (`rooms.clock`), so that a made-up firm lives its days by the functions that a real one uses. It is the
-- user who logged in that counts: neither `set role` nor a function with its owner's rights makes the application one.
create function rooms.clock() returns timestamptz
language sql stable
return case
    when coalesce(current_setting('rooms.clock', true), '') = '' then now()
    when pg_has_role(session_user, 'rooms_owner', 'member') then current_setting('rooms.clock')::timestamptz
    else now()
end;

create function rooms.next_id(table_name text) returns uuid
language plpgsql volatile set search_path = pg_catalog as $$
declare
    told constant jsonb := current_setting('rooms.ids')::jsonb;
    made constant integer := coalesce((told ->> 'made')::integer, 0);
begin
    perform set_config(
        'rooms.ids', ((told #- array[table_name, '0']) || jsonb_build_object('made', made + 1))::text, true
    );
    return coalesce(told #>> array[table_name, '0'], md5(told::text || table_name))::uuid;
end $$;

-- The id of a new row of a table: any, or the next one that a member of the owner has set for the transaction
-- (`rooms.ids`, by table: {"messages": ["…"]}). Rows that it does not name have ids that follow from all that it says.
create function rooms.new_id(table_name text) returns uuid
language sql volatile
return case
    when coalesce(current_setting('rooms.ids', true), '') = '' then gen_random_uuid()
    when pg_has_role(session_user, 'rooms_owner', 'member') then rooms.next_id(table_name)
    else gen_random_uuid()
end;
