-- What rooms_app sees of tables. The setting is read once a statement; where it is missing, nothing is seen.

-- A muted participant reads. NULL for whoever is none, else whether guests' rules hold for them.
create function rooms.sees_room(
    me text, room uuid, organization uuid, is_private boolean, guest_access_allowed boolean
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
                or exists (
                    select from rooms.room_participants as seat
                    where seat.room_id = room and seat.user_id = person
                        and seat.status in ('active', 'muted') and seat.deleted_at is null
                )
            )
    ) or rooms.has_permission(person, 'supervisor:chat:monitor', room);
end $$;

create function rooms.takes_part(me text, room uuid) returns boolean
language plpgsql stable security definer set search_path = pg_catalog as $$
declare
    person constant uuid := nullif(me, '')::uuid;
begin
    return exists (
        select
        from rooms.room_participants as seat
        inner join rooms.chat_rooms on chat_rooms.id = seat.room_id and chat_rooms.deleted_at is null
        inner join rooms.users on users.id = seat.user_id and users.organization_id = chat_rooms.organization_id
        where seat.room_id = room and seat.user_id = person
            and seat.status in ('active', 'muted') and seat.deleted_at is null
            and users.deleted_at is null and users.current_account_status in ('pending-verification', 'active')
    ) or rooms.has_permission(person, 'supervisor:chat:monitor', room);
end $$;

create function rooms.reads_message(
    me text, room uuid, at timestamptz, kind rooms.message_type_enum, is_for_guests boolean
) returns boolean
language plpgsql stable security definer set search_path = pg_catalog as $$
declare
    person constant uuid := nullif(me, '')::uuid;
begin
    return exists (
        select
        from rooms.room_participants as seat
        inner join rooms.chat_rooms on chat_rooms.id = seat.room_id and chat_rooms.deleted_at is null
        inner join rooms.users on users.id = seat.user_id and users.organization_id = chat_rooms.organization_id
        where seat.room_id = room and seat.user_id = person
            and seat.status in ('active', 'muted') and seat.deleted_at is null
            and users.deleted_at is null and users.current_account_status in ('pending-verification', 'active')
            and (seat.can_see_history or at >= seat.joined_at)
            and (
                kind <> 'robot' or is_for_guests
                or seat.role <> 'guest' and users.account_type_informal <> 'guest'
            )
    ) or rooms.has_permission(person, 'supervisor:chat:monitor', room);
end $$;

alter table rooms.chat_rooms enable row level security;
alter table rooms.room_participants enable row level security;
alter table rooms.messages enable row level security;
alter table rooms.chat_file_attachments enable row level security;

create policy reader on rooms.chat_rooms for select to rooms_reader using (true);
create policy reader on rooms.room_participants for select to rooms_reader using (true);
create policy reader on rooms.messages for select to rooms_reader using (true);
create policy reader on rooms.chat_file_attachments for select to rooms_reader using (true);

create policy app on rooms.chat_rooms for select to rooms_app using (
    deleted_at is null and rooms.sees_room(
        (select current_setting('rooms.user_id', true)), id, organization_id, is_private, guest_access_allowed
    )
);
create policy app on rooms.room_participants for select to rooms_app using (
    rooms.takes_part((select current_setting('rooms.user_id', true)), room_id)
);
create policy app on rooms.messages for select to rooms_app using (
    rooms.reads_message(
        (select current_setting('rooms.user_id', true)), room_id, created_at, message_type, is_robot_visible_to_guests
    )
);
create policy app on rooms.chat_file_attachments for select to rooms_app using (
    exists (
        select from rooms.messages
        where messages.id = chat_file_attachments.message_id
            and messages.created_at = chat_file_attachments.message_created_at
    )
);
grant select on rooms.chat_rooms, rooms.room_participants, rooms.messages, rooms.chat_file_attachments to rooms_app;
grant select on rooms.access_permission_domains, rooms.access_permissions, rooms.access_roles, rooms.role_permissions
to rooms_app;
