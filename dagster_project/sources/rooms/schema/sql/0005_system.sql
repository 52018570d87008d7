-- What the application does by itself, with nobody signed in: accounts, timers, and what is deleted for good. Its role is
-- rooms_system, so that no request of a user can do it.
create function rooms.create_user(
    organization uuid,
    username text,
    first_name text,
    last_name text,
    email text,
    account_type rooms.user_account_type_informal_enum default 'guest',
    account_status rooms.user_account_status_enum default 'pending-verification',
    is_email_verified boolean default false,
    password_hash text default '!' -- which no password has
) returns uuid
language plpgsql security definer set search_path = pg_catalog as $$
#variable_conflict use_variable
declare
    made uuid;
begin
    insert into rooms.users (
        organization_id, username, first_name, last_name, email, account_type_informal, current_account_status,
        is_email_verified, password_hash
    )
    values (
        organization, username, first_name, last_name, email, account_type, account_status, is_email_verified,
        password_hash
    )
    returning id into made;
    return made;
end $$;

-- What is left out stays as it is.
create function rooms.change_user(
    person uuid,
    display_name text default null,
    account_status rooms.user_account_status_enum default null,
    is_email_verified boolean default null
) returns void
language plpgsql security definer set search_path = pg_catalog as $$
begin
    update rooms.users set
        display_name = coalesce(change_user.display_name, users.display_name),
        current_account_status = coalesce(account_status, users.current_account_status),
        is_email_verified = coalesce(change_user.is_email_verified, users.is_email_verified)
    where id = person and deleted_at is null;
    if not found then
        raise exception using errcode = 'RM011', message = 'there is no such user';
    end if;
end $$;

create function rooms.close_account(person uuid) returns void
language plpgsql security definer set search_path = pg_catalog as $$
begin
    update rooms.users set deleted_at = rooms.clock(), current_account_status = 'closed'
    where id = person and deleted_at is null;
    if not found then
        raise exception using errcode = 'RM011', message = 'there is no such user';
    end if;
end $$;

create function rooms.grant_role(person uuid, role text, room uuid default null, granted_by uuid default null)
returns uuid
language plpgsql security definer set search_path = pg_catalog as $$
#variable_conflict use_variable
declare
    made uuid;
begin
    insert into rooms.user_roles (user_id, role, room_id, granted_by) values (person, role, room, granted_by)
    returning id into made;
    return made;
end $$;

create function rooms.end_role(granted uuid) returns void
language plpgsql security definer set search_path = pg_catalog as $$
begin
    update rooms.user_roles set valid_to = rooms.clock() where id = granted and valid_to is null;
    if not found then
        raise exception using errcode = 'RM011', message = 'there is no such role of anybody';
    end if;
end $$;

-- Ends what a timer ends, or what a customer says has ended: `person`.
create function rooms.close_room(
    room uuid,
    how rooms.conclusion_outcome_enum,
    words text default null,
    person uuid default null,
    customer_confirmed boolean default null
) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    place rooms.chat_rooms;
begin
    select * into place from rooms.chat_rooms where id = room and deleted_at is null for update;
    if place.id is null then
        raise exception using errcode = 'RM011', message = 'there is no such room';
    end if;
    perform rooms.require_open(place);
    insert into rooms.conversation_conclusions (
        room_id, concluded_at, concluded_by_user_id, outcome, is_confirmed_by_customer, summary
    )
    values (room, rooms.clock(), person, how, customer_confirmed, words)
    on conflict (room_id) do update set
        concluded_at = excluded.concluded_at, concluded_by_user_id = excluded.concluded_by_user_id,
        outcome = excluded.outcome, is_confirmed_by_customer = excluded.is_confirmed_by_customer,
        summary = excluded.summary;
    update rooms.chat_rooms set status = 'closed' where id = room;
end $$;

create function rooms.archive_closed_room(room uuid) returns void
language plpgsql security definer set search_path = pg_catalog as $$
begin
    update rooms.chat_rooms set status = 'archived' where id = room and status = 'closed' and deleted_at is null;
    if not found then
        raise exception using errcode = 'RM014', message = 'there is no such room, or it is not closed';
    end if;
end $$;

-- For good, with what lies beside it. Its history says that it was there.
create function rooms.purge_message(message uuid) returns void
language plpgsql security definer set search_path = pg_catalog as $$
begin
    delete from rooms.chat_file_attachments where message_id = message;
    delete from rooms.robot_interactions where message_id = message;
    delete from rooms.messages where id = message;
    if not found then
        raise exception using errcode = 'RM011', message = 'there is no such message';
    end if;
end $$;

-- The level that a room's case is at: what it was last escalated to, else what the room was opened for.
create function rooms.level_of(room uuid) returns rooms.support_level_enum
language sql stable security definer set search_path = pg_catalog
begin atomic
    select coalesce(
        (
            select to_level from rooms.escalations
            where status <> 'cancelled' and coalesce(target_room_id, source_room_id) = room
                and (target_room_id = room or source_room_id = room)
            order by created_at desc, id
            limit 1
        ),
        (
            select (enum_range(null::rooms.support_level_enum))[coalesce(escalation_level, 1)]
            from rooms.chat_rooms where id = room
        )
    );
end;

-- The application's: a case goes up a level, and who takes it works on in the same room.
create function rooms.escalate_in_room(
    room uuid,
    to_level rooms.support_level_enum,
    reason text,
    priority integer default 3
) returns uuid
language plpgsql security definer set search_path = pg_catalog as $$
declare
    me constant uuid := rooms.require_user();
    place constant rooms.chat_rooms := rooms.require_room(me, room);
    made uuid;
begin
    perform rooms.require_permission(me, 'chat:escalation:create', room);
    perform rooms.require_open(place);
    insert into rooms.escalations (
        source_room_id, escalation_reason, from_level, to_level, priority, created_by_user_id
    )
    values (room, reason, rooms.level_of(room), to_level, priority, me)
    returning id into made;
    return made;
end $$;

grant usage on schema rooms to rooms_system;
revoke execute on all functions in schema rooms from public;
grant execute on function rooms.create_user, rooms.change_user, rooms.close_account, rooms.grant_role, rooms.end_role,
rooms.close_room, rooms.archive_closed_room, rooms.purge_message to rooms_system;
grant execute on function rooms.escalate_in_room to rooms_app;
-- Who leaves out an argument asks for its default by their own right.
grant execute on function rooms.clock to rooms_app;
