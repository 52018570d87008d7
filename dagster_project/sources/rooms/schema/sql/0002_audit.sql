-- What supervisors read is written down; any past state of a message; a person forgotten.
create function rooms.log_access(person uuid, room uuid, purpose text, rows_read bigint) returns void
language plpgsql security definer set search_path = pg_catalog as $$
begin
    insert into rooms.data_access_log (user_id, room_id, purpose, rows_read)
    values (person, room, log_access.purpose, log_access.rows_read);
end $$;

create function rooms.require_purpose(purpose text) returns void
language plpgsql immutable set search_path = pg_catalog as $$
begin
    if purpose is null or purpose !~ '\S' then
        raise exception using errcode = 'RM018', message = 'say what the reading is for';
    end if;
end $$;

-- A page of a room in which a supervisor does not take part.
create function rooms.monitor_messages(
    room uuid, purpose text, before_created_at timestamptz default null, before_id uuid default null,
    page_size integer default 50
) returns setof rooms.messages
language plpgsql security definer set search_path = pg_catalog as $$
declare
    me constant uuid := rooms.require_user();
    read_count bigint;
begin
    perform rooms.require_room(me, room);
    perform rooms.require_permission(me, 'supervisor:chat:monitor', room);
    perform rooms.require_page_size(page_size);
    perform rooms.require_purpose(purpose);
    return query
    select message.*
    from rooms.messages as message
    where message.room_id = room
        and message.created_at <= coalesce(before_created_at, 'infinity')
        and (message.created_at, message.id) < (
            coalesce(before_created_at, 'infinity'), coalesce(before_id, '00000000-0000-0000-0000-000000000000')
        )
    order by message.created_at desc, message.id desc
    limit page_size;
    get diagnostics read_count = row_count;
    perform rooms.log_access(me, room, purpose, read_count);
end $$;

-- A whole room, oldest first, deleted messages too.
create function rooms.export_room(room uuid, purpose text) returns setof rooms.messages
language plpgsql security definer set search_path = pg_catalog as $$
declare
    me constant uuid := rooms.require_user();
    read_count bigint;
begin
    perform rooms.require_room(me, room);
    perform rooms.require_permission(me, 'supervisor:chat:export', room);
    perform rooms.require_purpose(purpose);
    return query
    select message.* from rooms.messages as message
    where message.room_id = room order by message.created_at, message.id;
    get diagnostics read_count = row_count;
    perform rooms.log_access(me, room, purpose, read_count);
end $$;

-- A message as it stood at an instant; no row where it was not there. An image holds from updated_at until changed_at.
create function rooms.message_as_of(message uuid, instant timestamptz) returns setof rooms.messages
language sql stable security definer set search_path = pg_catalog
begin atomic
    select
        id, room_id, sender_id, message_type, content, content_metadata, robot_id, robot_response_to,
        is_robot_visible_to_guests, delivery_status, reply_to_message_id, thread_id, client_key, created_at,
        updated_at, deleted_at, row_xid
    from (
        select messages.*, 'infinity'::timestamptz as changed_at from rooms.messages where messages.id = message
        union all
        select
            old.id, old.room_id, old.sender_id, old.message_type, old.content, old.content_metadata, old.robot_id,
            old.robot_response_to, old.is_robot_visible_to_guests, old.delivery_status, old.reply_to_message_id,
            old.thread_id, old.client_key, old.created_at, old.updated_at, old.deleted_at, old.row_xid, old.changed_at
        from rooms.messages_history as old
        where old.id = message and old.changed_at > instant
    ) as images
    where updated_at <= instant and changed_at > instant
    order by changed_at
    limit 1;
end;
