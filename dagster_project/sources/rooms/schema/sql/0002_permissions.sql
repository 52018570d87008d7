-- Who may do what: permissions by account type everywhere in one's organization, by role in a room, and as granted.
insert into rooms.access_permission_domains (permission_prefix, description) values
('chat:room', 'Chat room management permissions'),
('chat:message', 'Message sending and viewing permissions'),
('chat:robot', 'Robot interaction permissions'),
('chat:file', 'File upload and sharing permissions'),
('chat:escalation', 'Escalation management permissions'),
('supervisor:chat', 'Supervisor monitoring permissions');

insert into rooms.access_permissions (permission_prefix, permission)
select domain, domain || ':' || action
from (
    values
    ('chat:room', array['create', 'read', 'update', 'archive']),
    ('chat:message', array['send', 'read', 'edit_own', 'delete_any']),
    ('chat:robot', array['ask', 'see_hidden']),
    ('chat:file', array['upload', 'read', 'delete_any']),
    ('chat:escalation', array['create', 'assign', 'resolve']),
    ('supervisor:chat', array['monitor', 'export'])
) as domains (domain, actions)
cross join unnest(actions) as action;

insert into rooms.access_roles (role, description) values
('guest', 'Account type: a customer without an account'),
('registered', 'Account type: a customer with an account'),
('agent', 'Account type: somebody who answers'),
('robot', 'Account type: a robot'),
('supervisor', 'Account type: watches and steers the rooms of an organization'),
('admin', 'Account type: may do everything in an organization'),
('room_guest', 'In a room: its customer'),
('room_member', 'In a room: takes part'),
('room_moderator', 'In a room: takes part and steers'),
('room_observer', 'In a room: reads');

insert into rooms.role_permissions (role, permission)
select role, permission
from (
    values
    ('guest', array['chat:room:create']),
    ('registered', array['chat:room:create']),
    ('agent', array['chat:room:create']),
    ('robot', array['chat:room:create']),
    ('supervisor', array[
        'chat:room:create', 'chat:room:read', 'chat:room:update', 'chat:room:archive', 'chat:message:read',
        'chat:message:delete_any', 'chat:robot:see_hidden', 'chat:file:read', 'chat:escalation:create',
        'chat:escalation:assign', 'chat:escalation:resolve', 'supervisor:chat:monitor', 'supervisor:chat:export'
    ]),
    ('room_guest', array[
        'chat:room:read', 'chat:message:send', 'chat:message:read', 'chat:message:edit_own', 'chat:robot:ask',
        'chat:file:upload', 'chat:file:read'
    ]),
    ('room_member', array[
        'chat:room:read', 'chat:message:send', 'chat:message:read', 'chat:message:edit_own', 'chat:robot:ask',
        'chat:robot:see_hidden', 'chat:file:upload', 'chat:file:read', 'chat:escalation:create',
        'chat:escalation:assign', 'chat:escalation:resolve'
    ]),
    ('room_moderator', array[
        'chat:room:read', 'chat:room:update', 'chat:room:archive', 'chat:message:send', 'chat:message:read',
        'chat:message:edit_own', 'chat:message:delete_any', 'chat:robot:ask', 'chat:robot:see_hidden',
        'chat:file:upload', 'chat:file:read', 'chat:file:delete_any', 'chat:escalation:create',
        'chat:escalation:assign', 'chat:escalation:resolve'
    ]),
    ('room_observer', array['chat:room:read', 'chat:message:read', 'chat:robot:see_hidden', 'chat:file:read'])
) as roles (role, permissions)
cross join unnest(permissions) as permission
union all
select 'admin', permission from rooms.access_permissions;

-- Of an account that is suspended, closed or deleted: nothing. In a room: of the person's own organization alone.
create function rooms.has_permission(person uuid, wanted text, room uuid default null) returns boolean
language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return exists (
        select
        from rooms.users
        where users.id = person and users.deleted_at is null
            and users.current_account_status in ('pending-verification', 'active')
            and (room is null or exists (
                select from rooms.chat_rooms
                where chat_rooms.id = room and chat_rooms.organization_id = users.organization_id
                    and chat_rooms.deleted_at is null
            ))
            and (
                exists (
                    select from rooms.role_permissions
                    where role_permissions.role = users.account_type_informal::text
                        and role_permissions.permission = wanted
                )
                or exists (
                    select from rooms.user_roles
                    inner join rooms.role_permissions on role_permissions.role = user_roles.role
                    where user_roles.user_id = person and role_permissions.permission = wanted
                        and (user_roles.room_id is null or user_roles.room_id = room)
                        and user_roles.valid_from <= now()
                        and (user_roles.valid_to is null or user_roles.valid_to > now())
                )
                or exists (
                    select from rooms.room_participants
                    inner join rooms.role_permissions
                        on role_permissions.role = 'room_' || room_participants.role::text
                    where room_participants.room_id = room and room_participants.user_id = person
                        and room_participants.status in ('active', 'muted') and room_participants.deleted_at is null
                        and role_permissions.permission = wanted
                )
            )
    );
end $$;

-- The person whom the application speaks for: set local rooms.user_id = '…' in each transaction.
create function rooms.require_user() returns uuid
language plpgsql stable security definer set search_path = pg_catalog as $$
declare
    me constant uuid := nullif(current_setting('rooms.user_id', true), '')::uuid;
begin
    if not exists (
        select from rooms.users
        where id = me and deleted_at is null and current_account_status in ('pending-verification', 'active')
    ) then
        raise exception using errcode = 'RM016', message = 'nobody is signed in',
            hint = 'set local rooms.user_id in the transaction, of an account that is not suspended';
    end if;
    return me;
end $$;

create function rooms.require_permission(me uuid, wanted text, room uuid default null) returns void
language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    if not rooms.has_permission(me, wanted, room) then
        raise exception using errcode = 'RM003', message = format('no permission %s', wanted);
    end if;
end $$;

-- A room of one's own organization; of another there is none.
create function rooms.require_room(me uuid, room uuid) returns rooms.chat_rooms
language plpgsql stable security definer set search_path = pg_catalog as $$
declare
    found_room rooms.chat_rooms;
begin
    select chat_rooms.* into found_room
    from rooms.chat_rooms
    inner join rooms.users on users.id = me and users.organization_id = chat_rooms.organization_id
    where chat_rooms.id = room and chat_rooms.deleted_at is null;
    if found_room.id is null then
        raise exception using errcode = 'RM011', message = 'there is no such room';
    end if;
    return found_room;
end $$;

create function rooms.require_participant(me uuid, room uuid) returns rooms.room_participants
language plpgsql stable security definer set search_path = pg_catalog as $$
declare
    found_participant rooms.room_participants;
begin
    perform rooms.require_room(me, room);
    select * into found_participant
    from rooms.room_participants
    where room_id = room and user_id = me and status in ('active', 'muted') and deleted_at is null;
    if found_participant.room_id is null then
        raise exception using errcode = 'RM001', message = 'not a participant of the room';
    end if;
    return found_participant;
end $$;

create function rooms.require_open(room rooms.chat_rooms) returns void
language plpgsql stable set search_path = pg_catalog as $$
begin
    if room.status <> 'active' then
        raise exception using errcode = 'RM005', message = format('the room is %s', room.status);
    end if;
end $$;

create function rooms.require_page_size(page_size integer) returns void
language plpgsql immutable set search_path = pg_catalog as $$
begin
    if page_size is null or page_size not between 1 and 200 then
        raise exception using errcode = 'RM007', message = 'a page has 1 to 200 rows';
    end if;
end $$;
