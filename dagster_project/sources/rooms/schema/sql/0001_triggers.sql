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

-- `log_<table>_changes` writes the images of a whole statement at once, which costs half of what a row at a time does.
-- Each partition has it too (keep_month). A row whose key was changed is logged without its counterpart.
create function rooms.make_log(entity text, key_columns text[], but text[] default '{}') returns void
language plpgsql set search_path = pg_catalog as $make$
declare
    column_names text;
    old_values text;
    changes text;
    is_change text;
begin
    select
        string_agg(quote_ident(attname), ', ') filter (where attname <> 'password_hash'),
        string_agg('o.' || quote_ident(attname), ', ') filter (where attname <> 'password_hash'),
        string_agg(format('case when o.%1$I is distinct from n.%1$I then %1$L end', attname), ', ')
            filter (where attname <> 'updated_at'),
        case when but <> '{}' then format(
            'where (%s) is distinct from (%s)',
            string_agg(format('o.%I', attname), ', ') filter (where attname <> all (but || 'updated_at'::text)),
            string_agg(format('n.%I', attname), ', ') filter (where attname <> all (but || 'updated_at'::text))
        ) else '' end
    into column_names, old_values, changes, is_change
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
                    operation_type, changed_at, changed_by, transaction_id, changed_columns, %3$s
                )
                select
                    'UPDATE', coalesce(n.updated_at, greatest(now(), o.updated_at + interval '1 microsecond')),
                    nullif(current_setting('rooms.user_id', true), '')::uuid, pg_current_xact_id()::text::bigint,
                    case when n.updated_at is not null then array_remove(array[%5$s]::text[], null) end, %4$s
                from old_rows as o left join new_rows as n on %6$s
                %7$s;
            else
                insert into rooms.%2$I (operation_type, changed_at, changed_by, transaction_id, %3$s)
                select
                    'DELETE', greatest(now(), o.updated_at + interval '1 microsecond'),
                    nullif(current_setting('rooms.user_id', true), '')::uuid, pg_current_xact_id()::text::bigint, %4$s
                from old_rows as o;
            end if;
            return null;
        end $body$
        $log$,
        format('log_%s_changes', entity), entity || '_history', column_names, old_values, changes,
        (select string_agg(format('o.%1$I = n.%1$I', name), ' and ') from unnest(key_columns) as name), is_change
    );
    execute format(
        'create trigger log_%1$s_changes after update on rooms.%1$I referencing old table as old_rows '
        'new table as new_rows for each statement execute function rooms.log_%1$s_changes()', entity
    );
    execute format(
        'create trigger log_%1$s_deletes after delete on rooms.%1$I referencing old table as old_rows '
        'for each statement execute function rooms.log_%1$s_changes()', entity
    );
end $make$;

do $$
declare
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
end $$;
select rooms.make_log('users', '{id}', '{current_status, last_seen_at}'); -- a heartbeat changes nothing else
select rooms.make_log('chat_rooms', '{id}');
select rooms.make_log('room_participants', '{room_id, user_id}');
select rooms.make_log('messages', '{id, created_at}');
select rooms.make_log('chat_file_attachments', '{id, message_created_at}');
select rooms.make_log('robot_interactions', '{id, message_created_at}');
select rooms.make_log('escalations', '{id}');
select rooms.make_log('conversation_conclusions', '{room_id}');
select rooms.make_log('user_roles', '{id}');
create trigger log_presence after update of current_status on rooms.users
for each row when (old.current_status is distinct from new.current_status) execute function rooms.log_presence();
create trigger keep_created_at before update on rooms.messages
for each row when (old.id <> new.id or old.created_at <> new.created_at) execute function rooms.keep_created_at();
create trigger set_root_room before insert or update of parent_room_id on rooms.chat_rooms
for each row execute function rooms.set_root_room();
