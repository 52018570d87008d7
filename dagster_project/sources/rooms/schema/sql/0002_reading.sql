-- Reading: pages by key, not by offset; nobody reads a room in which they do not take part.

-- The newest messages before a message, or the newest of all. Runs with the caller's rights: row security decides.
create function rooms.page_messages(
    room uuid, before_created_at timestamptz default null, before_id uuid default null, page_size integer default 50
) returns table (
    id uuid, created_at timestamptz, sender_id uuid, message_type rooms.message_type_enum, content text,
    content_metadata jsonb, robot_id text, delivery_status rooms.delivery_status_enum, reply_to_message_id uuid,
    thread_id uuid, updated_at timestamptz
)
-- Planned once a session: to plan over all months takes longer than to read a page.
language plpgsql stable set search_path = pg_catalog set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
begin
    perform rooms.require_participant(rooms.require_user(), room);
    perform rooms.require_page_size(page_size);
    return query
    select
        message.id, message.created_at, message.sender_id, message.message_type, message.content,
        message.content_metadata, message.robot_id, message.delivery_status, message.reply_to_message_id,
        message.thread_id, message.updated_at
    from rooms.messages as message
    where message.room_id = room
        and message.deleted_at is null
        -- Said twice: the first spares months, the second rows of the same instant.
        and message.created_at <= coalesce(before_created_at, 'infinity')
        and (message.created_at, message.id) < (
            coalesce(before_created_at, 'infinity'), coalesce(before_id, '00000000-0000-0000-0000-000000000000')
        )
    order by message.created_at desc, message.id desc
    limit page_size;
end $$;

-- A person's rooms with the newest message of each and what is unread, counted to 100.
create function rooms.list_rooms(person uuid default null) returns table (
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

create function rooms.participants_of(room uuid) returns table (
    user_id uuid, display_name text, role rooms.participant_role_enum, status rooms.participant_status_enum,
    current_status text, joined_at timestamptz, last_read_at timestamptz
)
language plpgsql stable security definer set search_path = pg_catalog as $$
#variable_conflict use_column
declare
    me constant uuid := rooms.require_user();
begin
    perform rooms.require_room(me, room);
    if not rooms.has_permission(me, 'supervisor:chat:monitor', room) then
        perform rooms.require_participant(me, room);
    end if;
    return query
    select
        seat.user_id, coalesce(users.display_name, users.first_name || ' ' || users.last_name), seat.role, seat.status,
        users.current_status, seat.joined_at, seat.last_read_at
    from rooms.room_participants as seat
    inner join rooms.users on users.id = seat.user_id
    where seat.room_id = room and seat.status in ('active', 'muted') and seat.deleted_at is null
    order by seat.joined_at, seat.user_id;
end $$;

-- Rooms are words of the documents too, so that a frequent word in a small room is found in few steps.
create function rooms.room_word(room uuid) returns text
language sql immutable set search_path = pg_catalog
return 'room' || replace(room::text, '-', '');

-- Words as a search engine takes them ("a phrase", or, -without), newest first, in one room or in all of one's own. Month
-- by month, from the newest, until the page is full: a frequent word is not looked for in years.
create function rooms.search_messages(words text, room uuid default null, page_size integer default 50) returns table (
    room_id uuid, id uuid, created_at timestamptz, sender_id uuid, content text
)
-- Likewise: all rooms of a person make the plan dearer still.
language plpgsql stable security definer set search_path = pg_catalog set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    me constant uuid := rooms.require_user();
    wanted tsquery := websearch_to_tsquery('spanish', words);
    places uuid[];
    month timestamptz;
    found_count integer;
begin
    perform rooms.require_page_size(page_size);
    if room is not null then
        perform rooms.require_participant(me, room);
        places := array[room];
    else
        select array_agg(seat.room_id) into places
        from rooms.room_participants as seat
        where seat.user_id = me and seat.status in ('active', 'muted') and seat.deleted_at is null;
    end if;
    -- Few rooms are words of the question too; many are cheaper to look up afterwards.
    if cardinality(places) <= 20 then
        wanted := wanted && (select string_agg(rooms.room_word(place), ' | ')::tsquery from unnest(places) as place);
    end if;
    for month in
        select to_date(right(pg_class.relname, 7), 'YYYY_MM')::timestamp at time zone 'UTC'
        from pg_inherits inner join pg_class on pg_class.oid = pg_inherits.inhrelid
        where pg_inherits.inhparent = 'rooms.message_search'::regclass
        order by 1 desc
    loop
        return query
        select message.room_id, message.id, message.created_at, message.sender_id, message.content
        from (
            select entry.room_id, entry.message_id, entry.message_created_at
            from rooms.message_search as entry
            where entry.document @@ wanted and entry.room_id = any(places)
                and entry.message_created_at >= month and entry.message_created_at < month + interval '1 month'
            offset 0
        ) as entry
        inner join rooms.messages as message
            on message.id = entry.message_id and message.created_at = entry.message_created_at
            and message.created_at >= month and message.created_at < month + interval '1 month'
        inner join rooms.room_participants as seat on seat.room_id = entry.room_id and seat.user_id = me
        inner join rooms.chat_rooms on chat_rooms.id = entry.room_id and chat_rooms.deleted_at is null
        inner join rooms.users on users.id = me and users.organization_id = chat_rooms.organization_id
        where message.deleted_at is null
            and (seat.can_see_history or message.created_at >= seat.joined_at)
            and (
                message.message_type <> 'robot' or message.is_robot_visible_to_guests
                or seat.role <> 'guest' and users.account_type_informal <> 'guest'
            )
        order by message.created_at desc, message.id desc
        limit page_size;
        get diagnostics found_count = row_count;
        page_size := page_size - found_count;
        exit when page_size <= 0;
    end loop;
end $$;

-- The job's: documents of what was written since it ran last, up to the oldest transaction that is still open.
create function rooms.fill_message_search() returns bigint
language plpgsql security definer set search_path = pg_catalog as $$
declare
    ceiling constant bigint := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
    since bigint;
    filled bigint;
begin
    perform rooms.match_search_months();
    insert into rooms.job_watermarks (job, next_xid) values ('message_search', 0) on conflict do nothing;
    select next_xid into since from rooms.job_watermarks where job = 'message_search' for update;
    insert into rooms.message_search as entry (room_id, message_id, message_created_at, document)
    select
        room_id, id, created_at, to_tsvector('spanish', content) || array_to_tsvector(array[rooms.room_word(room_id)])
    from rooms.messages
    where row_xid >= since and row_xid < ceiling and deleted_at is null and message_type not in ('system', 'graph')
    on conflict (message_id, message_created_at) do update
    set document = excluded.document, room_id = excluded.room_id
    where entry.document <> excluded.document;
    get diagnostics filled = row_count;
    delete from rooms.message_search using rooms.messages
    where messages.id = message_id and messages.created_at = message_created_at
        and messages.row_xid >= since and messages.row_xid < ceiling and messages.deleted_at is not null;
    delete from rooms.message_search using rooms.messages_history
    where messages_history.id = message_id and messages_history.created_at = message_created_at
        and messages_history.operation_type = 'DELETE'
        and messages_history.row_xid >= since and messages_history.row_xid < ceiling;
    update rooms.job_watermarks set next_xid = ceiling where job = 'message_search' and next_xid < ceiling;
    return filled;
end $$;
