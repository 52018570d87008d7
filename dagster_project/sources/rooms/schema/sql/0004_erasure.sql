-- Forgets a person, as 0002 does, but also what is being written meanwhile, what the system said of them, and what they
-- said of others' escalations.
create or replace function rooms.erase_user(person uuid) returns table (what text, row_count bigint)
language plpgsql security definer set search_path = pg_catalog as $$
#variable_conflict use_column
declare
    gone constant text := '[erased]';
    places uuid[];
    written uuid[];
    entity text;
begin
    -- Waits for what is being written just now, by them or in rooms about them; later, the account is closed.
    perform from rooms.users where id = person for update;
    if not found then
        raise exception using errcode = 'RM011', message = 'there is no such user';
    end if;
    places := rooms.rooms_about(person);
    perform from rooms.chat_rooms where id = any(places) order by id for update;
    -- Those that are gone already too: their history is not.
    written := array(
        select id from rooms.messages where sender_id = person or room_id = any(places)
        union
        select id from rooms.messages_history where sender_id = person or room_id = any(places)
    );
    what := 'user_presence_changes';
    update rooms.user_presence_changes set to_status = gone where user_id = person and to_status <> gone;
    get diagnostics row_count = row_count;
    return next;
    -- The rows first: their old images then come into the history, which is cleaned after them.
    foreach entity in array array['', '_history'] loop
        what := 'messages' || entity;
        execute format(
            'update rooms.%I set content = $1, content_metadata = ''{}'' where id = any($2) '
            'and (content <> $1 or content_metadata <> ''{}'')', what
        ) using gone, written;
        get diagnostics row_count = row_count;
        return next;
        what := 'robot_interactions' || entity;
        execute format(
            'update rooms.%I set request_data = ''{}'', observation_data = null, response_data = null, '
            'error_message = null where message_id = any($1) and '
            '(request_data <> ''{}'' or num_nonnulls(observation_data, response_data, error_message) > 0)', what
        ) using written;
        get diagnostics row_count = row_count;
        return next;
        what := 'chat_file_attachments' || entity;
        execute format(
            'update rooms.%I set original_filename = $1, thumbnail_url = null where (owner_id = $2 or message_id = '
            'any($3)) and (original_filename <> $1 or thumbnail_url is not null)', what
        ) using gone, person, written;
        get diagnostics row_count = row_count;
        return next;
        what := 'chat_rooms' || entity;
        execute format(
            'update rooms.%I set name = $1, description = null, issue_description = null, room_settings = ''{}'' '
            'where id = any($2) and (name is distinct from $1 or num_nonnulls(description, issue_description) > 0 or '
            'room_settings <> ''{}'')', what
        ) using gone, places;
        get diagnostics row_count = row_count;
        return next;
        what := 'escalations' || entity;
        execute format(
            'update rooms.%I set escalation_reason = $1, resolution_notes = null where (source_room_id = any($2) or '
            'target_room_id = any($2) or created_by_user_id = $3 or assigned_to_user_id = $3) and '
            '(escalation_reason <> $1 or resolution_notes is not null)', what
        ) using gone, places, person;
        get diagnostics row_count = row_count;
        return next;
        what := 'conversation_conclusions' || entity;
        execute format(
            'update rooms.%I set summary = null where (room_id = any($1) or concluded_by_user_id = $2) and '
            'summary is not null', what
        ) using places, person;
        get diagnostics row_count = row_count;
        return next;
        what := 'users' || entity;
        execute format(
            'update rooms.%I set username = $1, first_name = $2, last_name = $2, email = $1 || ''@erased.invalid'', '
            '%s display_name = null, avatar_url = null, chat_preferences = ''{}'', current_status = $2, '
            'current_account_status = ''closed'', deleted_at = coalesce(deleted_at, now()) where id = $3 and username <> $1',
            what, case entity when '' then 'password_hash = '''',' else '' end
        ) using 'erased-' || person, gone, person;
        get diagnostics row_count = row_count;
        return next;
    end loop;
    what := 'message_search';
    delete from rooms.message_search
    where message_id = any(written);
    get diagnostics row_count = row_count;
    return next;
    perform rooms.log_access(
        nullif(current_setting('rooms.user_id', true), '')::uuid, null, 'erasure of ' || person,
        cardinality(written)
    );
end $$;
