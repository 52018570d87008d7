-- The application's functions, the supervisors', and those that row security asks on their behalf. Jobs are the owner's.
revoke execute on all functions in schema rooms from public;
do $$
declare
    one record;
begin
    for one in
        select oid::regprocedure as name, proname = any(array['monitor_messages', 'export_room']) as is_supervisors
        from pg_proc
        where pronamespace = 'rooms'::regnamespace
            and proname = any(array[
                'create_room', 'add_participant', 'leave_room', 'remove_participant', 'mute_participant',
                'set_presence', 'post_message', 'edit_message', 'delete_message', 'mark_delivered', 'mark_read',
                'page_messages', 'list_rooms', 'participants_of', 'search_messages', 'attach_file', 'delete_file',
                'start_robot', 'finish_robot', 'escalate', 'assign_escalation', 'start_escalation',
                'resolve_escalation', 'cancel_escalation', 'conclude_room', 'reopen_room', 'archive_room',
                'has_permission', 'monitor_messages', 'export_room',
                'sees_room', 'takes_part', 'reads_message', 'require_user', 'require_participant', 'require_page_size'
            ])
    loop
        execute format('grant execute on function %s to rooms_app', one.name);
        if one.is_supervisors then
            execute format('grant execute on function %s to rooms_supervisor', one.name);
        end if;
    end loop;
    grant execute on function rooms.has_permission(uuid, text, uuid) to rooms_supervisor;
    grant execute on function rooms.message_as_of(uuid, timestamptz) to rooms_reader;
end $$;
