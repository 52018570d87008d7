-- Leaves what revision 0001 made. Roles that were given go with the permissions that they stand for.
drop policy app on rooms.chat_rooms;
drop policy app on rooms.room_participants;
drop policy app on rooms.chat_file_attachments;
drop policy app on rooms.messages;
drop policy reader on rooms.chat_rooms;
drop policy reader on rooms.room_participants;
drop policy reader on rooms.messages;
drop policy reader on rooms.chat_file_attachments;
alter table rooms.chat_rooms disable row level security;
alter table rooms.room_participants disable row level security;
alter table rooms.messages disable row level security;
alter table rooms.chat_file_attachments disable row level security;
revoke select on all tables in schema rooms from rooms_app;
do $$
declare
    function_name regprocedure;
begin
    loop
        select oid into function_name from pg_proc
        where pronamespace = 'rooms'::regnamespace
            and proname <> all (array[
                'touch', 'touch_history', 'refuse_truncate', 'keep_created_at', 'set_root_room', 'log_presence',
                'make_log', 'keep_month', 'keep_months', 'keep_partitions', 'count_months',
                'match_search_months'
            ])
            and proname !~ '^log_\w+_changes$'
        limit 1;
        exit when not found;
        execute format('drop function %s cascade', function_name);
    end loop;
end $$;
delete from rooms.user_roles;
delete from rooms.role_permissions;
delete from rooms.access_roles;
delete from rooms.access_permissions;
delete from rooms.access_permission_domains;
