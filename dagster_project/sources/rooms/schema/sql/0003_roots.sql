-- A room knows its root, so no query climbs. The tree is changed by one at a time, or a room that is opened below one
-- that moves just then would keep the root of before.
create or replace function rooms.set_root_room() returns trigger language plpgsql set search_path = pg_catalog as $$
declare
    tree constant bigint := hashtextextended('rooms.chat_rooms.parent_room_id', 0);
    is_cycle boolean;
begin
    if tg_op = 'UPDATE' and old.parent_room_id is not distinct from new.parent_room_id then
        new.root_room_id := old.root_room_id;
        return new;
    end if;
    new.root_room_id := new.id;
    if tg_op = 'UPDATE' then
        perform pg_advisory_xact_lock(tree);
    elsif new.parent_room_id is not null then
        perform pg_advisory_xact_lock_shared(tree);
    end if;
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
    return new;
end $$;

-- When the statement is over: it may have moved a room and one below it.
create function rooms.set_roots_below() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
    with recursive above (id, parent_room_id) as (
        select room.id, room.parent_room_id from rooms.chat_rooms as room where room.id = new.id
        union
        select room.id, room.parent_room_id
        from rooms.chat_rooms as room inner join above on room.id = above.parent_room_id
    ),
    below (id) as (
        select new.id
        union
        select room.id from rooms.chat_rooms as room inner join below on room.parent_room_id = below.id
    )
    update rooms.chat_rooms as room set root_room_id = root.id
    from below, above as root
    where root.parent_room_id is null and room.id = below.id and room.root_room_id <> root.id;
    return null;
end $$;
revoke execute on function rooms.set_roots_below() from public;
create trigger set_roots_below after update of parent_room_id on rooms.chat_rooms
for each row when (old.parent_room_id is distinct from new.parent_room_id) execute function rooms.set_roots_below();
