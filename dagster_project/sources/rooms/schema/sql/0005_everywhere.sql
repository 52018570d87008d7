-- All that asks for the time asks the clock, and so do defaults; an escalation goes on from the level that a case is at.
-- What earlier revisions made stays as it is otherwise, so it is not written down again.
do $$
declare
    one record;
begin
    for one in
        select pg_get_functiondef(oid) as definition from pg_proc
        where pronamespace = 'rooms'::regnamespace and proname <> 'clock' and pg_get_functiondef(oid) ~ 'now\(\)'
    loop
        execute replace(
            replace(one.definition, 'now()', 'rooms.clock()'),
            'levels[coalesce(place.escalation_level, 1)]', 'rooms.level_of(room)'
        );
    end loop;
    for one in
        select pg_class.relname as table_name, attname as column_name,
            case pg_get_expr(adbin, adrelid)
                when 'now()' then 'rooms.clock()' else format('rooms.new_id(%L)', pg_class.relname)
            end as value
        from pg_attrdef
        inner join pg_attribute on attrelid = adrelid and attnum = adnum
        inner join pg_class on pg_class.oid = adrelid and not relispartition
        where relnamespace = 'rooms'::regnamespace and pg_get_expr(adbin, adrelid) in ('now()', 'gen_random_uuid()')
    loop
        execute format('alter table rooms.%I alter %I set default %s', one.table_name, one.column_name, one.value);
    end loop;
end $$;
