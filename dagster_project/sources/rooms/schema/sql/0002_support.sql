-- Robots and escalations.
create function rooms.start_robot(
    message uuid, robot_id text, request_data jsonb, observation_data jsonb default null
) returns uuid
language plpgsql security definer set search_path = pg_catalog as $$
#variable_conflict use_variable
declare
    me constant uuid := rooms.require_user();
    old constant rooms.messages := rooms.require_message(me, message);
    made uuid;
begin
    perform rooms.require_permission(me, 'chat:robot:ask', old.room_id);
    perform rooms.require_open(rooms.require_room(me, old.room_id));
    insert into rooms.robot_interactions (
        message_id, message_created_at, robot_id, request_data, observation_data, status
    )
    values (old.id, old.created_at, robot_id, request_data, observation_data, 'processing')
    returning id into made;
    return made;
end $$;

create function rooms.finish_robot(
    interaction uuid, response_data jsonb default null, error_message text default null,
    is_handover boolean default false
) returns void
language plpgsql security definer set search_path = pg_catalog as $$
#variable_conflict use_variable
declare
    me constant uuid := rooms.require_user();
    old rooms.robot_interactions;
begin
    select * into old from rooms.robot_interactions where id = interaction;
    if old.id is null then
        raise exception using errcode = 'RM011', message = 'there is no such interaction';
    end if;
    perform rooms.require_permission(
        me, 'chat:robot:see_hidden', (rooms.require_message(me, old.message_id)).room_id
    );
    if old.status in ('completed', 'failed') then
        raise exception using errcode = 'RM014', message = format('the interaction is %s', old.status);
    end if;
    update rooms.robot_interactions as held set
        status = case when error_message is null then 'completed' else 'failed' end::rooms.robot_status_enum,
        response_data = finish_robot.response_data, error_message = finish_robot.error_message,
        is_handover = finish_robot.is_handover, completed_at = greatest(now(), held.started_at)
    where held.id = old.id and held.message_created_at = old.message_created_at;
end $$;

-- Opens the room of the next level and moves the guests there.
create function rooms.escalate(
    room uuid, to_level rooms.support_level_enum, reason text, priority integer default 3
) returns table (escalation_id uuid, target_room_id uuid)
language plpgsql security definer set search_path = pg_catalog as $$
#variable_conflict use_column
declare
    me constant uuid := rooms.require_user();
    place constant rooms.chat_rooms := rooms.require_room(me, room);
    levels constant rooms.support_level_enum[] := enum_range(null::rooms.support_level_enum);
    from_level constant rooms.support_level_enum := levels[coalesce(place.escalation_level, 1)];
    target uuid;
    made uuid;
begin
    perform rooms.require_permission(me, 'chat:escalation:create', room);
    perform from rooms.chat_rooms where id = room for update;
    perform rooms.require_open(rooms.require_room(me, room));
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
    with moved as (
        update rooms.room_participants set status = 'left', left_at = greatest(now(), joined_at)
        where room_id = room and role = 'guest' and status in ('active', 'muted') and deleted_at is null
        returning user_id, can_send_messages, can_see_history
    )
    insert into rooms.room_participants (room_id, user_id, role, can_send_messages, can_see_history)
    select target, moved.user_id, 'guest', moved.can_send_messages, moved.can_see_history from moved;
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

-- The escalation, locked, if the caller may do this with it and it is in one of these states.
create function rooms.take_escalation(
    me uuid, escalation uuid, wanted text, states rooms.escalation_status_enum[]
) returns rooms.escalations
language plpgsql security definer set search_path = pg_catalog as $$
declare
    held rooms.escalations;
begin
    select * into held from rooms.escalations where id = escalation for update;
    if held.id is null then
        raise exception using errcode = 'RM011', message = 'there is no such escalation';
    end if;
    perform rooms.require_room(me, held.source_room_id);
    if me is distinct from held.assigned_to_user_id and not rooms.has_permission(me, wanted, held.source_room_id) then
        perform rooms.require_permission(me, wanted, held.target_room_id);
    end if;
    if held.status <> all (states) then
        raise exception using errcode = 'RM014', message = format('the escalation is %s', held.status);
    end if;
    return held;
end $$;

create function rooms.assign_escalation(escalation uuid, person uuid) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    me constant uuid := rooms.require_user();
    held constant rooms.escalations := rooms.take_escalation(
        me, escalation, 'chat:escalation:assign', array['created', 'assigned']::rooms.escalation_status_enum[]
    );
begin
    perform rooms.require_room(person, held.source_room_id);
    update rooms.escalations set status = 'assigned', assigned_to_user_id = person where id = held.id;
end $$;

-- Whoever was assigned begins, and is in the room from then on.
create function rooms.start_escalation(escalation uuid) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    me constant uuid := rooms.require_user();
    held rooms.escalations;
begin
    held := rooms.take_escalation(
        me, escalation, 'chat:escalation:assign', array['created', 'assigned']::rooms.escalation_status_enum[]
    );
    if held.assigned_to_user_id is null then
        raise exception using errcode = 'RM014', message = 'the escalation is nobody''s: assign it first';
    end if;
    update rooms.escalations set status = 'in_progress' where id = held.id;
    insert into rooms.room_participants (room_id, user_id, role, can_invite_others)
    values (coalesce(held.target_room_id, held.source_room_id), held.assigned_to_user_id, 'moderator', true)
    on conflict (room_id, user_id) do update set
        role = 'moderator', status = 'active', joined_at = now(), left_at = null, deleted_at = null
    where room_participants.status in ('left', 'removed') or room_participants.deleted_at is not null;
end $$;

create function rooms.resolve_escalation(escalation uuid, notes text default null) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    held constant rooms.escalations := rooms.take_escalation(
        rooms.require_user(), escalation, 'chat:escalation:resolve',
        array['assigned', 'in_progress']::rooms.escalation_status_enum[]
    );
begin
    update rooms.escalations
    set status = 'resolved', resolution_notes = notes, resolved_at = greatest(now(), created_at) where id = held.id;
end $$;

create function rooms.cancel_escalation(escalation uuid, notes text default null) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    held constant rooms.escalations := rooms.take_escalation(
        rooms.require_user(), escalation, 'chat:escalation:resolve',
        array['created', 'assigned', 'in_progress']::rooms.escalation_status_enum[]
    );
begin
    update rooms.escalations set status = 'cancelled', resolution_notes = notes where id = held.id;
end $$;
