-- What others' rooms supervisors look at is written down, whichever function they ask.

-- Their own rooms, and a supervisor another's.
alter function rooms.list_rooms(uuid) rename to rooms_of;
revoke execute on function rooms.rooms_of from rooms_app;
create or replace function rooms.list_rooms(person uuid default null) returns table (
    room_id uuid, name text, room_type rooms.room_type_enum, status rooms.room_status_enum,
    role rooms.participant_role_enum, last_message_id uuid, last_message_at timestamptz, last_sender_id uuid,
    unread_count integer, has_more_unread boolean
)
language plpgsql security definer set search_path = pg_catalog as $$
#variable_conflict use_column
declare
    me constant uuid := rooms.require_user();
    read_count bigint;
begin
    return query select * from rooms.rooms_of(person);
    get diagnostics read_count = row_count;
    if person <> me then
        perform rooms.log_access(me, null, format('list of the rooms of %s', person), read_count);
    end if;
end $$;

create or replace function rooms.participants_of(room uuid) returns table (
    user_id uuid, display_name text, role rooms.participant_role_enum, status rooms.participant_status_enum,
    current_status text, joined_at timestamptz, last_read_at timestamptz
)
language plpgsql security definer set search_path = pg_catalog as $$
#variable_conflict use_column
declare
    me constant uuid := rooms.require_user();
    is_in boolean;
    read_count bigint;
begin
    perform rooms.require_room(me, room);
    is_in := exists (
        select from rooms.room_participants as seat
        where seat.room_id = room and seat.user_id = me
            and seat.status in ('active', 'muted') and seat.deleted_at is null
    );
    if not is_in and not rooms.has_permission(me, 'supervisor:chat:monitor', room) then
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
    get diagnostics read_count = row_count;
    if not is_in then
        perform rooms.log_access(me, room, 'list of who takes part', read_count);
    end if;
end $$;

-- Words that say nothing ("de la") find nothing, not everything.
do $$
begin
    execute replace(
        pg_get_functiondef('rooms.search_messages'::regproc),
        'perform rooms.require_page_size(page_size);',
        'perform rooms.require_page_size(page_size); if numnode(wanted) = 0 then return; end if;'
    );
end $$;

-- A document holds less than 1 MB, places of words included: of a longer message the beginning is searched.
create or replace function rooms.search_document(room uuid, content text) returns tsvector
language sql immutable set search_path = pg_catalog
return to_tsvector('spanish', left(content, 100000)) || array_to_tsvector(array[rooms.room_word(room)]);

create or replace function rooms.fill_message_search() returns bigint
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
    select room_id, id, created_at, rooms.search_document(room_id, content)
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
revoke execute on function rooms.rooms_of, rooms.list_rooms, rooms.participants_of, rooms.search_document from public;
grant execute on function rooms.list_rooms to rooms_app;
