-- Robots and escalations: each once, by people who work here, and taken back whole.

-- Also where the message was deleted meanwhile: the robot has answered all the same.
create or replace function rooms.finish_robot(
    interaction uuid, response_data jsonb default null, error_message text default null,
    is_handover boolean default false
) returns void
language plpgsql security definer set search_path = pg_catalog as $$
#variable_conflict use_variable
declare
    me constant uuid := rooms.require_user();
    old rooms.robot_interactions;
    place uuid;
begin
    select * into old from rooms.robot_interactions where id = interaction for update;
    if old.id is null then
        raise exception using errcode = 'RM011', message = 'there is no such interaction';
    end if;
    select room_id into place from rooms.messages where id = old.message_id and created_at = old.message_created_at;
    perform rooms.require_participant(me, place);
    perform rooms.require_permission(me, 'chat:robot:see_hidden', place);
    if old.status in ('completed', 'failed') then
        raise exception using errcode = 'RM014', message = format('the interaction is %s', old.status);
    end if;
    update rooms.robot_interactions as held set
        status = case when error_message is null then 'completed' else 'failed' end::rooms.robot_status_enum,
        response_data = finish_robot.response_data, error_message = finish_robot.error_message,
        is_handover = finish_robot.is_handover, completed_at = greatest(now(), held.started_at)
    where held.id = old.id and held.message_created_at = old.message_created_at;
end $$;

-- Guests go from a room to another as they are: muted, or without history.
create or replace function rooms.move_guests(from_room uuid, to_room uuid) returns void
language sql security definer set search_path = pg_catalog
begin atomic
    with guests as (
        select * from rooms.room_participants
        where room_id = from_room and role = 'guest' and status in ('active', 'muted') and deleted_at is null
    ),
    moved as (
        update rooms.room_participants as seat set status = 'left', left_at = greatest(now(), seat.joined_at)
        from guests
        where seat.room_id = guests.room_id and seat.user_id = guests.user_id
    )
    insert into rooms.room_participants as held (room_id, user_id, role, status, can_send_messages, can_see_history)
    select to_room, user_id, 'guest', status, can_send_messages, can_see_history from guests
    on conflict (room_id, user_id) do update set
        status = excluded.status, joined_at = excluded.joined_at, left_at = null, deleted_at = null;
end;

-- Opens the room of the next level and moves the guests there. Of two who do it at once the second is told.
create or replace function rooms.escalate(
    room uuid, to_level rooms.support_level_enum, reason text, priority integer default 3
) returns table (escalation_id uuid, target_room_id uuid)
language plpgsql security definer set search_path = pg_catalog as $$
#variable_conflict use_column
declare
    me constant uuid := rooms.require_user();
    place rooms.chat_rooms := rooms.require_room(me, room);
    levels constant rooms.support_level_enum[] := enum_range(null::rooms.support_level_enum);
    from_level constant rooms.support_level_enum := levels[coalesce(place.escalation_level, 1)];
    target uuid;
    made uuid;
begin
    perform rooms.require_permission(me, 'chat:escalation:create', room);
    perform rooms.require_value(to_level <> from_level, 'an escalation leads to another level');
    perform rooms.require_value(coalesce(priority, 3) between 1 and 5, 'a priority is 1 to 5');
    perform rooms.require_value(reason ~ '\S', 'an escalation has a reason');
    perform from rooms.chat_rooms where id = room for update;
    place := rooms.require_room(me, room);
    perform rooms.require_open(place);
    if exists (
        select from rooms.escalations
        where escalations.source_room_id = room and escalations.target_room_id <> room
            and escalations.status in ('created', 'assigned', 'in_progress')
    ) then
        raise exception using errcode = 'RM014', message = 'the room is escalated already';
    end if;
    perform rooms.require_month('rooms.messages', now());
    insert into rooms.chat_rooms (
        name, description, room_type, issue_id, issue_description, is_private, guest_access_allowed, max_participants,
        creator_id, parent_room_id, escalation_level, room_settings, organization_id, root_room_id
    )
    values (
        place.name, place.description, 'escalated', place.issue_id, place.issue_description, place.is_private,
        place.guest_access_allowed, place.max_participants, place.creator_id, place.id,
        array_position(levels, to_level), place.room_settings, place.organization_id, place.root_room_id
    )
    returning id into target;
    perform rooms.move_guests(room, target);
    insert into rooms.messages (room_id, sender_id, message_type, content, content_metadata, delivery_status)
    select place_of, me, 'system', format('Escalated from %s to %s', from_level, to_level),
        jsonb_build_object('from_level', from_level, 'to_level', to_level), 'delivered'
    from unnest(array[room, target]) as place_of;
    insert into rooms.escalations (
        source_room_id, target_room_id, escalation_reason, from_level, to_level, priority, created_by_user_id
    )
    values (room, target, reason, from_level, escalate.to_level, escalate.priority, me)
    returning id into made;
    return query select made, target;
end $$;

-- To somebody who works here: whoever is assigned may steer the room.
create or replace function rooms.assign_escalation(escalation uuid, person uuid) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    me constant uuid := rooms.require_user();
    held constant rooms.escalations := rooms.take_escalation(
        me, escalation, 'chat:escalation:assign', array['created', 'assigned']::rooms.escalation_status_enum[]
    );
    kind rooms.user_account_type_informal_enum;
begin
    select account_type_informal into kind
    from rooms.users
    inner join rooms.chat_rooms on chat_rooms.id = held.source_room_id
        and chat_rooms.organization_id = users.organization_id
    where users.id = person and users.deleted_at is null
        and users.current_account_status in ('pending-verification', 'active');
    if kind is null then
        raise exception using errcode = 'RM011', message = 'there is no such user';
    elsif kind in ('guest', 'registered') then
        raise exception using errcode = 'RM003', message = 'a customer cannot be assigned';
    end if;
    update rooms.escalations set status = 'assigned', assigned_to_user_id = person where id = held.id;
end $$;

-- Called off while the room that it came from is open: the guests are there again, and the other room ends.
create or replace function rooms.cancel_escalation(escalation uuid, notes text default null) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    held constant rooms.escalations := rooms.take_escalation(
        rooms.require_user(), escalation, 'chat:escalation:resolve',
        array['created', 'assigned', 'in_progress']::rooms.escalation_status_enum[]
    );
begin
    update rooms.escalations set status = 'cancelled', resolution_notes = notes where id = held.id;
    perform from rooms.chat_rooms where id = held.source_room_id and status = 'active' for update;
    if found and held.target_room_id <> held.source_room_id then
        perform rooms.move_guests(held.target_room_id, held.source_room_id);
        update rooms.chat_rooms set status = 'closed' where id = held.target_room_id and status = 'active';
    end if;
end $$;
revoke execute on function rooms.move_guests from public;
