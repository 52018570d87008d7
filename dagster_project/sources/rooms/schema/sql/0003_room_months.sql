-- In which months a room was written in: whoever looks for its newest message need not look into each month since. A month
-- stays when its messages go.
create table rooms.room_months (
    room_id uuid not null,
    month_start timestamptz not null,
    constraint pk_room_months primary key (room_id, month_start)
);
grant select on rooms.room_months to rooms_reader;

-- Without a key to the room: the message has one. Asked first, so that who writes in a room that was written in this month
-- waits for nobody.
create function rooms.note_room_month() returns trigger language plpgsql as $$
declare
    first_instant constant timestamptz := date_trunc('month', new.created_at, 'UTC');
begin
    if not exists (
        select from rooms.room_months where room_months.room_id = new.room_id and room_months.month_start = first_instant
    ) then
        insert into rooms.room_months (room_id, month_start) values (new.room_id, first_instant) on conflict do nothing;
    end if;
    return new;
end $$;
create trigger note_room_month before insert on rooms.messages
for each row execute function rooms.note_room_month();
create trigger note_moved_room_month before update of room_id on rooms.messages
for each row when (old.room_id <> new.room_id) execute function rooms.note_room_month();

-- Also for whoever writes without triggers.
create function rooms.fill_room_months() returns bigint
language plpgsql security definer set search_path = pg_catalog as $$
declare
    filled bigint;
begin
    insert into rooms.room_months (room_id, month_start)
    select distinct messages.room_id, date_trunc('month', messages.created_at, 'UTC') from rooms.messages
    on conflict do nothing;
    get diagnostics filled = row_count;
    return filled;
end $$;
revoke execute on function rooms.note_room_month(), rooms.fill_room_months() from public;
select rooms.fill_room_months();

-- A person's rooms with the newest message of each and what is unread, counted to 100. What is newest is looked up in the
-- last month in which the room was written in, and nothing is counted where nothing is newer than what was read.
create or replace function rooms.list_rooms(person uuid default null) returns table (
    room_id uuid, name text, room_type rooms.room_type_enum, status rooms.room_status_enum,
    role rooms.participant_role_enum, last_message_id uuid, last_message_at timestamptz, last_sender_id uuid,
    unread_count integer, has_more_unread boolean
)
-- Planned once a session, as pages are.
language plpgsql stable security definer set search_path = pg_catalog set plan_cache_mode = force_generic_plan as $$
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
        from rooms.room_months as written
        cross join lateral (
            select message.id, message.created_at, message.sender_id
            from rooms.messages as message
            where message.room_id = seat.room_id and message.deleted_at is null
                and message.created_at >= written.month_start
                and message.created_at
                < (written.month_start at time zone 'UTC' + interval '1 month') at time zone 'UTC'
                and (seat.can_see_history or message.created_at >= seat.joined_at)
                and (
                    message.message_type <> 'robot' or message.is_robot_visible_to_guests
                    or seat.role <> 'guest' and users.account_type_informal <> 'guest'
                )
            order by message.created_at desc, message.id desc
            limit 1
        ) as message
        where written.room_id = seat.room_id
        order by written.month_start desc
        limit 1
    ) as newest on true
    cross join lateral (
        select greatest(
            seat.last_read_at, case when not seat.can_see_history then seat.joined_at end, '-infinity'
        ) as read_at
    ) as since
    cross join lateral (
        select count(*) as count
        from (
            select
            from rooms.messages as message
            where message.room_id = seat.room_id and message.deleted_at is null
                and message.created_at > since.read_at
                and newest.created_at > since.read_at
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
