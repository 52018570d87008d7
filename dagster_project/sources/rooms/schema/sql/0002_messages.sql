-- Messages: written once however often they are sent, changed by their authors, delivered, read.
create function rooms.require_length(content text) returns void
language plpgsql immutable set search_path = pg_catalog as $$
begin
    if octet_length(content) > 1024 * 1024 then
        raise exception using errcode = 'RM006', message = 'a message has at most 1 MB';
    end if;
end $$;

-- The id of a message that is not deleted says its month too: (id, created_at) is its key.
create function rooms.require_message(me uuid, message uuid) returns rooms.messages
language plpgsql stable security definer set search_path = pg_catalog as $$
declare
    found_message rooms.messages;
begin
    select * into found_message from rooms.messages where id = message and deleted_at is null;
    if found_message.id is null then
        raise exception using errcode = 'RM011', message = 'there is no such message';
    end if;
    perform rooms.require_participant(me, found_message.room_id);
    return found_message;
end $$;

-- Whoever sends the same client_key again gets the first message's id: two at once wait for each other.
create function rooms.post_message(
    room uuid,
    content text,
    client_key text default null,
    message_type rooms.message_type_enum default 'chat',
    reply_to uuid default null,
    thread uuid default null,
    content_metadata jsonb default '{}',
    robot_id text default null,
    robot_response_to uuid default null,
    is_robot_visible_to_guests boolean default false,
    delivery_status rooms.delivery_status_enum default 'streaming',
    created_at timestamptz default now()
) returns table (id uuid, message_created_at timestamptz)
language plpgsql security definer set search_path = pg_catalog as $$
#variable_conflict use_column
declare
    me constant uuid := rooms.require_user();
    seat constant rooms.room_participants := rooms.require_participant(me, room);
begin
    if seat.status = 'muted' or not seat.can_send_messages then
        raise exception using errcode = 'RM002', message = 'muted in this room';
    end if;
    perform rooms.require_permission(me, 'chat:message:send', room);
    perform rooms.require_open(rooms.require_room(me, room));
    perform rooms.require_length(content);
    if message_type = 'system' or (message_type = 'robot') <> exists (
        select from rooms.users where users.id = me and users.account_type_informal = 'robot'
    ) then
        raise exception using errcode = 'RM003',
            message = format('a message of the type %s is not this account''s', message_type);
    end if;
    if created_at > now() + interval '1 day' then
        raise exception using errcode = 'RM009', message = 'a message is of the future: see to the clock that says so';
    end if;
    perform rooms.require_month('rooms.messages', created_at);
    if reply_to is not null and not exists (
        select from rooms.messages where messages.id = reply_to and messages.room_id = room
    ) then
        raise exception using errcode = 'RM008', message = 'the message that this one answers is not of this room';
    end if;
    if client_key is not null then
        perform pg_advisory_xact_lock(hashtextextended('rooms.client_key|' || me || '|' || client_key, 0));
        return query
        select messages.id, messages.created_at from rooms.messages
        where messages.client_key = post_message.client_key and messages.sender_id = me
        order by messages.created_at limit 1;
        if found then
            return;
        end if;
    end if;
    return query
    insert into rooms.messages as posted (
        room_id, sender_id, message_type, content, content_metadata, robot_id, robot_response_to,
        is_robot_visible_to_guests, delivery_status, reply_to_message_id, thread_id, client_key, created_at
    )
    values (
        room, me, post_message.message_type, post_message.content, post_message.content_metadata,
        post_message.robot_id, post_message.robot_response_to, post_message.is_robot_visible_to_guests,
        post_message.delivery_status, reply_to, thread, post_message.client_key, post_message.created_at
    )
    returning posted.id, posted.created_at;
end $$;

-- Asked first: the server's own refusal names no month.
create function rooms.require_month(parent regclass, at timestamptz) returns void
language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    if to_regclass('rooms.' || split_part(parent::text, '.', 2) || to_char(at at time zone 'UTC', '_YYYY_MM')) is null then
        raise exception using errcode = 'RM010',
            message = format('%s has no partition for %s', parent, to_char(at at time zone 'UTC', 'YYYY-MM')),
            hint = 'months are made ahead by the job keep_partitions, older ones come back from the archive';
    end if;
end $$;

create function rooms.edit_message(message uuid, content text) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    me constant uuid := rooms.require_user();
    old constant rooms.messages := rooms.require_message(me, message);
begin
    if old.sender_id <> me then
        raise exception using errcode = 'RM003', message = 'a message is changed by its author alone';
    end if;
    perform rooms.require_permission(me, 'chat:message:edit_own', old.room_id);
    perform rooms.require_open(rooms.require_room(me, old.room_id));
    perform rooms.require_length(content);
    update rooms.messages set content = edit_message.content
    where messages.id = old.id and messages.created_at = old.created_at;
end $$;

create function rooms.delete_message(message uuid) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    me constant uuid := rooms.require_user();
    old rooms.messages;
begin
    select * into old from rooms.messages where id = message and deleted_at is null;
    if old.id is null then
        raise exception using errcode = 'RM011', message = 'there is no such message';
    end if;
    perform rooms.require_room(me, old.room_id);
    perform rooms.require_permission(
        me, case old.sender_id when me then 'chat:message:edit_own' else 'chat:message:delete_any' end, old.room_id
    );
    update rooms.messages set deleted_at = now() where id = old.id and created_at = old.created_at;
end $$;

create function rooms.mark_delivered(message uuid, as_status rooms.delivery_status_enum default 'delivered')
returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    old constant rooms.messages := rooms.require_message(rooms.require_user(), message);
begin
    update rooms.messages set delivery_status = as_status
    where id = old.id and created_at = old.created_at and delivery_status <> as_status;
end $$;

create function rooms.mark_read(room uuid, until timestamptz default now()) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    me constant uuid := rooms.require_user();
begin
    perform rooms.require_participant(me, room);
    update rooms.room_participants set last_read_at = least(until, now())
    where room_id = room and user_id = me and (last_read_at is null or last_read_at < least(until, now()));
end $$;

create function rooms.attach_file(
    message uuid, file_manager_file_id uuid, original_filename text, file_size bigint, mime_type text,
    thumbnail_url text default null
) returns uuid
language plpgsql security definer set search_path = pg_catalog as $$
#variable_conflict use_variable
declare
    me constant uuid := rooms.require_user();
    old constant rooms.messages := rooms.require_message(me, message);
    made uuid;
begin
    if old.sender_id <> me then
        raise exception using errcode = 'RM003', message = 'files are attached by the author of the message alone';
    end if;
    perform rooms.require_permission(me, 'chat:file:upload', old.room_id);
    perform rooms.require_open(rooms.require_room(me, old.room_id));
    insert into rooms.chat_file_attachments (
        message_id, message_created_at, file_manager_file_id, original_filename, file_size, mime_type, thumbnail_url,
        preview_available, owner_id
    )
    values (
        old.id, old.created_at, file_manager_file_id, original_filename, file_size, mime_type, thumbnail_url,
        thumbnail_url is not null, me
    )
    returning id into made;
    return made;
end $$;

create function rooms.delete_file(attachment uuid) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    me constant uuid := rooms.require_user();
    old rooms.chat_file_attachments;
    place uuid;
begin
    select * into old from rooms.chat_file_attachments where id = attachment and deleted_at is null;
    if old.id is null then
        raise exception using errcode = 'RM011', message = 'there is no such file';
    end if;
    select room_id into place from rooms.messages where id = old.message_id and created_at = old.message_created_at;
    perform rooms.require_room(me, place);
    perform rooms.require_permission(
        me, case old.owner_id when me then 'chat:file:upload' else 'chat:file:delete_any' end, place
    );
    update rooms.chat_file_attachments set deleted_at = now()
    where id = old.id and message_created_at = old.message_created_at;
end $$;
