-- Who takes part in a room, and as what.

-- Whoever makes a room steers it; whoever asks for support is its customer.
create or replace function rooms.create_room(
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
    seat_role constant rooms.participant_role_enum := rooms.own_role(me, room_type);
    made uuid;
begin
    perform rooms.require_permission(me, 'chat:room:create');
    perform rooms.require_value(coalesce(max_participants, 1) > 0, 'a room has at least one seat');
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
    values (made, me, coalesce(seat_role, 'moderator'), seat_role is null);
    return made;
end $$;

-- The one role that somebody may have in a room of a type, if there is but one: customers are guests where they are
-- helped, and guests everywhere.
create or replace function rooms.own_role(person uuid, room_type rooms.room_type_enum) returns rooms.participant_role_enum
language sql stable security definer set search_path = pg_catalog
begin atomic
    select 'guest'::rooms.participant_role_enum
    from rooms.users
    where id = person
        and (
            account_type_informal = 'guest'
            or account_type_informal = 'registered' and own_role.room_type in ('support', 'escalated')
        );
end;

-- Takes a person in, or takes them back in. False: they are in already. The room is locked, so it is never overfull.
-- Nobody comes into another's talk by themselves: a customer into a support room, or whoever it is into a direct one, only
-- where they were before.
create or replace function rooms.add_participant(
    room uuid,
    person uuid,
    as_role rooms.participant_role_enum default 'member',
    sees_history boolean default true
) returns boolean
language plpgsql security definer set search_path = pg_catalog as $$
declare
    me constant uuid := rooms.require_user();
    place rooms.chat_rooms := rooms.require_room(me, room);
    is_steered boolean;
    my_seat rooms.room_participants;
    seat rooms.room_participants;
    kind rooms.user_account_type_informal_enum;
    only_role rooms.participant_role_enum;
begin
    perform from rooms.chat_rooms where id = room for update;
    place := rooms.require_room(me, room);
    select * into my_seat from rooms.room_participants
    where room_id = room and user_id = me and status = 'active' and deleted_at is null;
    select * into seat from rooms.room_participants where room_id = room and user_id = person;
    select account_type_informal into kind from rooms.users
    where id = person and organization_id = place.organization_id and deleted_at is null;
    if kind is null then
        raise exception using errcode = 'RM011', message = 'there is no such user';
    end if;
    only_role := rooms.own_role(person, place.room_type);
    is_steered := rooms.has_permission(me, 'chat:room:update', room)
        or coalesce(my_seat.can_invite_others, false) and as_role <> 'moderator';
    if not is_steered and not (
        me = person and not place.is_private and seat.status is distinct from 'removed'
        and (
            seat.room_id is not null or place.creator_id = me
            or place.room_type <> 'direct' and (only_role is null or place.room_type = 'group')
        )
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
    values (room, person, coalesce(only_role, as_role), sees_history)
    on conflict (room_id, user_id) do update set
        role = excluded.role, status = 'active',
        can_see_history = excluded.can_see_history and (is_steered or held.can_see_history),
        joined_at = excluded.joined_at, left_at = null, deleted_at = null;
    return true;
end $$;

-- Whoever was muted is so when they come back.
create or replace function rooms.leave_room(room uuid) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    me constant uuid := rooms.require_user();
begin
    perform rooms.require_participant(me, room);
    update rooms.room_participants
    set status = 'left', left_at = greatest(now(), joined_at),
        can_send_messages = can_send_messages and status <> 'muted'
    where room_id = room and user_id = me;
end $$;

create or replace function rooms.mute_participant(room uuid, person uuid, is_muted boolean default true) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    me constant uuid := rooms.require_user();
begin
    perform rooms.require_room(me, room);
    perform rooms.require_permission(me, 'chat:room:update', room);
    perform rooms.require_participant(person, room);
    update rooms.room_participants set
        status = case when is_muted then 'muted' else 'active' end::rooms.participant_status_enum,
        can_send_messages = can_send_messages or not is_muted
    where room_id = room and user_id = person;
end $$;

-- A support room is no business of other customers.
create or replace function rooms.sees_room(
    me text, room uuid, organization uuid, room_type rooms.room_type_enum, is_private boolean,
    guest_access_allowed boolean
) returns boolean
language plpgsql stable security definer set search_path = pg_catalog as $$
declare
    person constant uuid := nullif(me, '')::uuid;
begin
    return exists (
        select
        from rooms.users
        where users.id = person and users.organization_id = organization and users.deleted_at is null
            and users.current_account_status in ('pending-verification', 'active')
            and (
                not is_private and (guest_access_allowed or users.account_type_informal <> 'guest')
                and (
                    room_type not in ('support', 'escalated')
                    or users.account_type_informal not in ('guest', 'registered')
                )
                or exists (
                    select from rooms.room_participants as seat
                    where seat.room_id = room and seat.user_id = person
                        and seat.status in ('active', 'muted') and seat.deleted_at is null
                )
            )
    ) or rooms.has_permission(person, 'supervisor:chat:monitor', room);
end $$;
alter policy app on rooms.chat_rooms using (
    deleted_at is null and rooms.sees_room(
        (select current_setting('rooms.user_id', true)), id, organization_id, room_type, is_private,
        guest_access_allowed
    )
);
drop function if exists rooms.sees_room(text, uuid, uuid, boolean, boolean);

-- What was deleted is gone for the application too: supervisors' functions show it.
alter policy app on rooms.messages using (
    deleted_at is null and rooms.reads_message(
        (select current_setting('rooms.user_id', true)), room_id, created_at, message_type, is_robot_visible_to_guests
    )
);
alter policy app on rooms.chat_file_attachments using (
    deleted_at is null and exists (
        select from rooms.messages
        where messages.id = chat_file_attachments.message_id
            and messages.created_at = chat_file_attachments.message_created_at
    )
);
revoke execute on function rooms.own_role from public;
revoke execute on function rooms.sees_room from public;
grant execute on function rooms.sees_room to rooms_app;
