-- Rooms and who takes part in them.

-- Whoever makes a room steers it; a guest is its customer.
create function rooms.create_room(
    name text default null,
    room_type rooms.room_type_enum default 'group',
    description text default null,
    issue_id text default null,
    issue_description text default null,
    is_private boolean default false,
    guest_access_allowed boolean default true,
    max_participants integer default 50
) returns uuid
language plpgsql security definer set search_path = pg_catalog as $$
#variable_conflict use_variable
declare
    me constant uuid := rooms.require_user();
    made uuid;
begin
    perform rooms.require_permission(me, 'chat:room:create');
    insert into rooms.chat_rooms as room (
        name, room_type, description, issue_id, issue_description, is_private, guest_access_allowed, max_participants,
        creator_id, organization_id, root_room_id
    )
    select
        create_room.name, create_room.room_type, create_room.description, create_room.issue_id,
        create_room.issue_description, create_room.is_private, create_room.guest_access_allowed,
        case create_room.room_type when 'direct' then 2 else create_room.max_participants end,
        me, users.organization_id, me
    from rooms.users where users.id = me
    returning room.id into made;
    insert into rooms.room_participants (room_id, user_id, role, can_invite_others)
    select
        made, me,
        case users.account_type_informal
            when 'guest' then 'guest'::rooms.participant_role_enum else 'moderator'::rooms.participant_role_enum
        end,
        users.account_type_informal <> 'guest'
    from rooms.users where users.id = me;
    return made;
end $$;

-- Takes a person in, or takes them back in. False: they are in already. The room is locked, so it is never overfull.
create function rooms.add_participant(
    room uuid,
    person uuid,
    as_role rooms.participant_role_enum default 'member',
    sees_history boolean default true
) returns boolean
language plpgsql security definer set search_path = pg_catalog as $$
declare
    me constant uuid := rooms.require_user();
    place constant rooms.chat_rooms := rooms.require_room(me, room);
    my_seat rooms.room_participants;
    seat rooms.room_participants;
    kind rooms.user_account_type_informal_enum;
begin
    perform from rooms.chat_rooms where id = room for update;
    select * into my_seat from rooms.room_participants
    where room_id = room and user_id = me and status = 'active' and deleted_at is null;
    select * into seat from rooms.room_participants where room_id = room and user_id = person;
    select account_type_informal into kind from rooms.users
    where id = person and organization_id = place.organization_id and deleted_at is null;
    if kind is null then
        raise exception using errcode = 'RM011', message = 'there is no such user';
    end if;
    if not (
        rooms.has_permission(me, 'chat:room:update', room)
        or coalesce(my_seat.can_invite_others, false) and as_role <> 'moderator'
        or me = person and not place.is_private and seat.status is distinct from 'removed'
        and (as_role <> 'moderator' or kind in ('agent', 'supervisor') and place.room_type in ('support', 'escalated'))
    ) then
        raise exception using errcode = 'RM003', message = 'no permission to take this person in';
    end if;
    perform rooms.require_open(place);
    if kind = 'guest' and not place.guest_access_allowed then
        raise exception using errcode = 'RM017', message = 'the room takes no guests';
    end if;
    if seat.status in ('active', 'muted') and seat.deleted_at is null then
        return false;
    end if;
    if place.max_participants <= (
        select count(*) from rooms.room_participants
        where room_id = room and status in ('active', 'muted') and deleted_at is null
    ) then
        raise exception using errcode = 'RM004', message = format('the room is full: %s take part', place.max_participants);
    end if;
    insert into rooms.room_participants as held (room_id, user_id, role, can_see_history)
    values (
        room, person, case kind when 'guest' then 'guest'::rooms.participant_role_enum else as_role end, sees_history
    )
    on conflict (room_id, user_id) do update set
        role = excluded.role, status = 'active', can_see_history = excluded.can_see_history,
        joined_at = excluded.joined_at, left_at = null, deleted_at = null;
    return true;
end $$;

create function rooms.leave_room(room uuid) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    me constant uuid := rooms.require_user();
begin
    perform rooms.require_participant(me, room);
    update rooms.room_participants set status = 'left', left_at = greatest(now(), joined_at)
    where room_id = room and user_id = me;
end $$;

create function rooms.remove_participant(room uuid, person uuid) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    me constant uuid := rooms.require_user();
begin
    perform rooms.require_room(me, room);
    perform rooms.require_permission(me, 'chat:room:update', room);
    perform rooms.require_participant(person, room);
    update rooms.room_participants set status = 'removed', left_at = greatest(now(), joined_at)
    where room_id = room and user_id = person;
end $$;

create function rooms.mute_participant(room uuid, person uuid, is_muted boolean default true) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    me constant uuid := rooms.require_user();
begin
    perform rooms.require_room(me, room);
    perform rooms.require_permission(me, 'chat:room:update', room);
    perform rooms.require_participant(person, room);
    update rooms.room_participants
    set status = case when is_muted then 'muted' else 'active' end::rooms.participant_status_enum
    where room_id = room and user_id = person;
end $$;

create function rooms.set_presence(to_status text) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    me constant uuid := rooms.require_user();
begin
    update rooms.users set current_status = to_status, last_seen_at = now() where id = me;
end $$;

-- Ends a conversation, or ends it again after it was reopened.
create function rooms.conclude_room(
    room uuid,
    how rooms.conclusion_outcome_enum default 'resolved',
    words text default null,
    customer_confirmed boolean default null
) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    me constant uuid := rooms.require_user();
    place constant rooms.chat_rooms := rooms.require_room(me, room);
begin
    if not (
        place.room_type in ('support', 'escalated') and rooms.has_permission(me, 'chat:escalation:resolve', room)
    ) then
        perform rooms.require_permission(me, 'chat:room:archive', room);
    end if;
    perform from rooms.chat_rooms where id = room for update;
    perform rooms.require_open(rooms.require_room(me, room));
    insert into rooms.conversation_conclusions (
        room_id, concluded_at, concluded_by_user_id, outcome, is_confirmed_by_customer, summary
    )
    values (room, now(), me, how, customer_confirmed, words)
    on conflict (room_id) do update set
        concluded_at = excluded.concluded_at, concluded_by_user_id = excluded.concluded_by_user_id,
        outcome = excluded.outcome, is_confirmed_by_customer = excluded.is_confirmed_by_customer,
        summary = excluded.summary;
    update rooms.chat_rooms set status = 'closed' where id = room;
end $$;

create function rooms.reopen_room(room uuid) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    me constant uuid := rooms.require_user();
    place constant rooms.chat_rooms := rooms.require_room(me, room);
begin
    if rooms.has_permission(me, 'chat:message:send', room) is not true then
        perform rooms.require_permission(me, 'chat:room:update', room);
    end if;
    if place.status <> 'closed' then
        raise exception using errcode = 'RM014', message = format('the room is %s, not closed', place.status);
    end if;
    update rooms.chat_rooms set status = 'active' where id = room;
end $$;

create function rooms.archive_room(room uuid) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    me constant uuid := rooms.require_user();
    place constant rooms.chat_rooms := rooms.require_room(me, room);
begin
    perform rooms.require_permission(me, 'chat:room:archive', room);
    if place.status = 'archived' then
        raise exception using errcode = 'RM014', message = 'the room is archived already';
    end if;
    update rooms.chat_rooms set status = 'archived' where id = room;
end $$;
