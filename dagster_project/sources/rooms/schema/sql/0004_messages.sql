-- What is written, and by whom it may be.

-- Refused here, in one line: the server's own refusal shows the whole row, and logs it.
create or replace function rooms.require_value(is_good boolean, rule text) returns void
language plpgsql immutable set search_path = pg_catalog as $$
begin
    if is_good is not true then
        raise exception using errcode = 'RM019', message = rule;
    end if;
end $$;

-- Who may say something in a room: also by changing what they said, or by a file.
create or replace function rooms.require_voice(me uuid, room uuid) returns void
language plpgsql stable security definer set search_path = pg_catalog as $$
declare
    seat constant rooms.room_participants := rooms.require_participant(me, room);
begin
    if seat.status = 'muted' or not seat.can_send_messages then
        raise exception using errcode = 'RM002', message = 'muted in this room';
    end if;
end $$;

-- Whoever sends the same client_key again gets the first message's id, whatever has become of the room since: two at once
-- wait for each other. An account that is being erased just then writes nothing more.
create or replace function rooms.post_message(
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
begin
    if client_key is not null then
        perform rooms.require_value(length(client_key) <= 200, 'a client_key has at most 200 characters');
        perform pg_advisory_xact_lock(hashtextextended('rooms.client_key|' || me || '|' || client_key, 0));
        return query
        select messages.id, messages.created_at from rooms.messages
        where messages.client_key = post_message.client_key and messages.sender_id = me
        order by messages.created_at limit 1;
        if found then
            return;
        end if;
    end if;
    perform from rooms.users where users.id = me and users.deleted_at is null for key share;
    if not found then
        raise exception using errcode = 'RM016', message = 'nobody is signed in';
    end if;
    perform rooms.require_voice(me, room);
    perform rooms.require_permission(me, 'chat:message:send', room);
    perform rooms.require_open(rooms.require_room(me, room));
    perform rooms.require_value(content is not null, 'a message has content');
    perform rooms.require_length(content || coalesce(nullif(content_metadata, '{}')::text, ''));
    if message_type = 'system' or (message_type = 'robot') <> exists (
        select from rooms.users where users.id = me and users.account_type_informal = 'robot'
    ) then
        raise exception using errcode = 'RM003',
            message = format('a message of the type %s is not this account''s', message_type);
    end if;
    if created_at > now() + interval '1 day' then
        raise exception using errcode = 'RM009', message = 'a message is of the future: see to the clock that says so';
    end if;
    perform rooms.require_month('rooms.messages', coalesce(created_at, now()));
    if reply_to is not null and not exists (
        select from rooms.messages where messages.id = reply_to and messages.room_id = room
    ) then
        raise exception using errcode = 'RM008', message = 'the message that this one answers is not of this room';
    end if;
    return query
    insert into rooms.messages as posted (
        room_id, sender_id, message_type, content, content_metadata, robot_id, robot_response_to,
        is_robot_visible_to_guests, delivery_status, reply_to_message_id, thread_id, client_key, created_at
    )
    values (
        room, me, coalesce(post_message.message_type, 'chat'), post_message.content,
        coalesce(post_message.content_metadata, '{}'), post_message.robot_id, post_message.robot_response_to,
        post_message.is_robot_visible_to_guests, coalesce(post_message.delivery_status, 'streaming'), reply_to, thread,
        post_message.client_key, coalesce(post_message.created_at, now())
    )
    returning posted.id, posted.created_at;
end $$;

create or replace function rooms.require_month(parent regclass, at timestamptz) returns void
language plpgsql stable security definer set search_path = pg_catalog as $$
declare
    month constant text := case when isfinite(at) then to_char(at at time zone 'UTC', 'YYYY-MM') else at::text end;
begin
    if to_regclass(format('rooms.%I', split_part(parent::text, '.', 2) || '_' || replace(month, '-', '_'))) is null then
        raise exception using errcode = 'RM010',
            message = format('%s has no partition for %s', parent, month),
            hint = 'months are made ahead by the job keep_partitions, older ones come back from the archive';
    end if;
end $$;

create or replace function rooms.edit_message(message uuid, content text) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    me constant uuid := rooms.require_user();
    old constant rooms.messages := rooms.require_message(me, message);
begin
    if old.sender_id <> me then
        raise exception using errcode = 'RM003', message = 'a message is changed by its author alone';
    end if;
    perform rooms.require_permission(me, 'chat:message:edit_own', old.room_id);
    perform rooms.require_voice(me, old.room_id);
    perform rooms.require_open(rooms.require_room(me, old.room_id));
    perform rooms.require_value(content is not null, 'a message has content');
    perform rooms.require_length(content);
    update rooms.messages set content = edit_message.content
    where messages.id = old.id and messages.created_at = old.created_at;
end $$;

-- Whoever reads a message says that it came; what else becomes of it, its author.
create or replace function rooms.mark_delivered(
    message uuid, as_status rooms.delivery_status_enum default 'delivered'
) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    me constant uuid := rooms.require_user();
    old constant rooms.messages := rooms.require_message(me, message);
begin
    if old.sender_id <> me and as_status <> 'delivered' then
        raise exception using errcode = 'RM003', message = 'others say of a message only that it was delivered';
    end if;
    update rooms.messages set delivery_status = as_status
    where id = old.id and created_at = old.created_at and delivery_status <> as_status;
end $$;

create or replace function rooms.attach_file(
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
    perform rooms.require_voice(me, old.room_id);
    perform rooms.require_open(rooms.require_room(me, old.room_id));
    perform rooms.require_value(
        file_size >= 0 and num_nulls(file_manager_file_id, original_filename, mime_type) = 0,
        'a file has an id, a name, a type and a size'
    );
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
revoke execute on function rooms.require_value, rooms.require_voice from public;
