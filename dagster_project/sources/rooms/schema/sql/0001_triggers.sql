-- What each write does by itself, whoever writes, and to whichever partition.

-- What runs for each row has its caller's rights and search_path: to set another one would cost a fifth of the update.
-- Whoever may write is the owner, or one of its functions, which pin theirs.

-- The history's updated_at is that of the image.
create function rooms.touch_history() returns trigger language plpgsql as $$
begin
    new.row_xid := pg_current_xact_id()::text::bigint;
    return new;
end $$;

create function rooms.refuse_truncate() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
    raise exception using errcode = 'RM013', message = format('%s cannot be truncated', tg_relid::regclass),
        detail = 'Its history would not know of it.', hint = 'Delete rows.';
end $$;

create function rooms.keep_created_at() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
    raise exception using errcode = 'RM012', message = 'id and created_at of a message never change';
end $$;

-- A room knows its root, so no query climbs.
create function rooms.set_root_room() returns trigger language plpgsql set search_path = pg_catalog as $$
declare
    is_cycle boolean;
begin
    new.root_room_id := new.id;
    if new.parent_room_id is not null then
        with recursive above (id, parent_room_id, depth) as (
            select room.id, room.parent_room_id, 1 from rooms.chat_rooms as room where room.id = new.parent_room_id
            union all
            select room.id, room.parent_room_id, above.depth + 1
            from rooms.chat_rooms as room inner join above on room.id = above.parent_room_id
            where above.id <> new.id and above.depth < 11
        )
        select bool_or(above.id = new.id or above.depth > 10),
            coalesce((select above.id from above where above.parent_room_id is null), new.parent_room_id)
        into is_cycle, new.root_room_id
        from above;
        if is_cycle then
            raise exception using errcode = 'RM015',
                message = format('room %s would be below itself, or more than ten deep', new.id);
        end if;
    end if;
    if tg_op = 'UPDATE' and old.root_room_id <> new.root_room_id then
        update rooms.chat_rooms set root_room_id = new.root_room_id
        where id in (
            with recursive below (id) as (
                select room.id from rooms.chat_rooms as room where room.parent_room_id = new.id
                union
                select room.id from rooms.chat_rooms as room inner join below on room.parent_room_id = below.id
            )
            select below.id from below
        );
    end if;
    return new;
end $$;

create function rooms.log_presence() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    insert into rooms.user_presence_changes (user_id, to_status, changed_at)
    values (new.id, new.current_status, now())
    on conflict (user_id, changed_at) do update set to_status = excluded.to_status;
    return null;
end $$;

-- `log_<table>_changes` names every column, so that a column that is added without its history is seen here first.
create function rooms.make_log(entity text) returns void language plpgsql set search_path = pg_catalog as $make$
declare
    column_names text;
    old_values text;
    changes text;
begin
    select
        string_agg(quote_ident(attname), ', ') filter (where attname <> 'password_hash'),
        string_agg('old.' || quote_ident(attname), ', ') filter (where attname <> 'password_hash'),
        string_agg(format('case when old.%1$I is distinct from new.%1$I then %1$L end', attname), ', ')
            filter (where attname <> 'updated_at')
    into column_names, old_values, changes
    from (
        select pg_attribute.attname
        from pg_attribute
        where attrelid = format('rooms.%I', entity)::regclass and attnum > 0 and not attisdropped and attname <> 'row_xid'
        order by attnum
    ) as of_table;
    execute format(
        $log$
        create or replace function rooms.%1$I() returns trigger language plpgsql as $body$
        begin
            if tg_op = 'UPDATE' then
                insert into rooms.%2$I (
                    operation_type, changed_at, changed_by, transaction_id, row_xid, changed_columns, %3$s
                )
                values (
                    'UPDATE', new.updated_at, nullif(current_setting('rooms.user_id', true), '')::uuid, new.row_xid,
                    new.row_xid, array_remove(array[%5$s]::text[], null), %4$s
                );
            else
                insert into rooms.%2$I (operation_type, changed_at, changed_by, transaction_id, %3$s)
                values (
                    'DELETE', greatest(now(), old.updated_at + interval '1 microsecond'),
                    nullif(current_setting('rooms.user_id', true), '')::uuid, pg_current_xact_id()::text::bigint, %4$s
                );
            end if;
            return null;
        end $body$
        $log$,
        format('log_%s_changes', entity), entity || '_history', column_names, old_values, changes
    );
end $make$;

do $$
declare
    entity text;
    table_name name;
begin
    for table_name in
        select relname from pg_class
        where relnamespace = 'rooms'::regnamespace and relkind in ('r', 'p') and relname <> 'alembic_version'
    loop
        execute format(
            'create index %I on rooms.%I (row_xid)', 'idx_' || table_name || '_row_xid', table_name
        );
        execute format(
            'create trigger touch before %s on rooms.%I for each row execute function rooms.%I()',
            case when table_name like '%\_history' then 'update' else 'insert or update' end, table_name,
            case when table_name like '%\_history' then 'touch_history' else 'touch' end
        );
        execute format(
            'create trigger refuse_truncate before truncate on rooms.%I execute function rooms.refuse_truncate()',
            table_name
        );
    end loop;
    foreach entity in array array[
        'users', 'chat_rooms', 'room_participants', 'messages', 'chat_file_attachments', 'robot_interactions',
        'escalations', 'conversation_conclusions', 'user_roles'
    ] loop
        perform rooms.make_log(entity);
        if entity <> 'users' then
            execute format(
                'create trigger log_%1$s_changes after update or delete on rooms.%1$I '
                'for each row execute function rooms.log_%1$s_changes()', entity
            );
        end if;
    end loop;
    -- A heartbeat changes nothing else.
    execute (
        select format(
            'create trigger log_users_changes after update on rooms.users for each row '
            'when ((%s) is distinct from (%s)) execute function rooms.log_users_changes()',
            string_agg('old.' || attname, ', ' order by attnum), string_agg('new.' || attname, ', ' order by attnum)
        )
        from pg_attribute
        where attrelid = 'rooms.users'::regclass and attnum > 0
            and attname not in ('current_status', 'last_seen_at', 'updated_at', 'row_xid')
    );
end $$;
create trigger log_users_deletes after delete on rooms.users
for each row execute function rooms.log_users_changes();
create trigger log_presence after update of current_status on rooms.users
for each row when (old.current_status is distinct from new.current_status) execute function rooms.log_presence();
create trigger keep_created_at before update on rooms.messages
for each row when (old.id <> new.id or old.created_at <> new.created_at) execute function rooms.keep_created_at();
create trigger set_root_room before insert or update of parent_room_id on rooms.chat_rooms
for each row execute function rooms.set_root_room();
