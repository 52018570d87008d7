-- Leaves what revision 0004 made.
drop function rooms.create_user, rooms.change_user, rooms.close_account, rooms.grant_role, rooms.end_role,
rooms.close_room, rooms.archive_closed_room, rooms.purge_message, rooms.escalate_in_room;
do $$
declare
    one record;
begin
    for one in
        select pg_class.relname as table_name, attname as column_name,
            case pg_get_expr(adbin, adrelid) when 'rooms.clock()' then 'now()' else 'gen_random_uuid()' end as value
        from pg_attrdef
        inner join pg_attribute on attrelid = adrelid and attnum = adnum
        inner join pg_class on pg_class.oid = adrelid and not relispartition
        where relnamespace = 'rooms'::regnamespace and pg_get_expr(adbin, adrelid) ~ '^rooms\.(clock|new_id)\('
    loop
        execute format('alter table rooms.%I alter %I set default %s', one.table_name, one.column_name, one.value);
    end loop;
    for one in
        select pg_get_functiondef(oid) as definition from pg_proc
        where pronamespace = 'rooms'::regnamespace and pg_get_functiondef(oid) ~ 'rooms\.clock\(\)'
            and proname <> 'clock'
    loop
        execute replace(
            replace(one.definition, 'rooms.clock()', 'now()'),
            'rooms.level_of(room)', 'levels[coalesce(place.escalation_level, 1)]'
        );
    end loop;
end $$;
drop function rooms.new_id, rooms.next_id, rooms.clock, rooms.level_of;
revoke usage on schema rooms from rooms_system;
