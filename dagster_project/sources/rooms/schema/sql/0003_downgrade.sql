-- Leaves what revision 0002 made.
-- A person's rooms with the newest message of each and what is unread, counted to 100.
create or replace function rooms.list_rooms(person uuid default null) returns table (
    room_id uuid, name text, room_type rooms.room_type_enum, status rooms.room_status_enum,
    role rooms.participant_role_enum, last_message_id uuid, last_message_at timestamptz, last_sender_id uuid,
    unread_count integer, has_more_unread boolean
)
language plpgsql stable security definer set search_path = pg_catalog as $$
#variable_conflict use_column
declare
    me constant uuid := rooms.require_user();
begin
    if coalesce(person, me) <> me then
        perform rooms.require_permission(me, 'supervisor:chat:monitor');
        if not exists (
            select from rooms.users
            inner join rooms.users as mine on mine.id = me and mine.organization_id = users.organization_id
            where users.id = person
        ) then
            raise exception using errcode = 'RM011', message = 'there is no such user';
        end if;
    end if;
    return query
    select
        chat_rooms.id, chat_rooms.name, chat_rooms.room_type, chat_rooms.status, seat.role,
        newest.id, newest.created_at, newest.sender_id, least(unread.count, 100)::integer, unread.count > 100
    from rooms.room_participants as seat
    inner join rooms.chat_rooms on chat_rooms.id = seat.room_id and chat_rooms.deleted_at is null
    inner join rooms.users on users.id = seat.user_id and users.organization_id = chat_rooms.organization_id
    left join lateral (
        select message.id, message.created_at, message.sender_id
        from rooms.messages as message
        where message.room_id = seat.room_id and message.deleted_at is null
            and (seat.can_see_history or message.created_at >= seat.joined_at)
            and (
                message.message_type <> 'robot' or message.is_robot_visible_to_guests
                or seat.role <> 'guest' and users.account_type_informal <> 'guest'
            )
        order by message.created_at desc, message.id desc
        limit 1
    ) as newest on true
    cross join lateral (
        select count(*) as count
        from (
            select
            from rooms.messages as message
            where message.room_id = seat.room_id and message.deleted_at is null
                and message.created_at > greatest(
                    seat.last_read_at, case when not seat.can_see_history then seat.joined_at end, '-infinity'
                )
                and message.sender_id <> seat.user_id
                and (
                    message.message_type <> 'robot' or message.is_robot_visible_to_guests
                    or seat.role <> 'guest' and users.account_type_informal <> 'guest'
                )
            limit 101
        ) as first_unread
    ) as unread
    where seat.user_id = coalesce(person, me) and seat.status in ('active', 'muted') and seat.deleted_at is null
    order by newest.created_at desc nulls last, chat_rooms.id;
end $$;
drop trigger note_room_month on rooms.messages;
drop trigger note_moved_room_month on rooms.messages;
drop function rooms.note_room_month, rooms.fill_room_months;
drop table rooms.room_months;
drop trigger set_roots_below on rooms.chat_rooms;
drop function rooms.set_roots_below;
-- A room knows its root, so no query climbs.
create or replace function rooms.set_root_room() returns trigger language plpgsql set search_path = pg_catalog as $$
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
