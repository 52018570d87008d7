-- Nine tables of what rows were before a change. A row's image holds from its updated_at until changed_at; row_xid is
-- the transaction that wrote the history's row, for whoever reads it piece by piece.
do $$
declare
    entity text;
    key_columns text;
begin
    foreach entity in array array[
        'users', 'chat_rooms', 'room_participants', 'messages', 'chat_file_attachments', 'robot_interactions',
        'escalations', 'conversation_conclusions', 'user_roles'
    ] loop
        execute format(
            'create table rooms.%1$I ('
            '    history_id uuid not null default gen_random_uuid(),'
            '    changed_at timestamptz not null default now(),'
            '    operation_type text not null,'
            '    like rooms.%2$I,'
            '    changed_by uuid,'
            '    transaction_id bigint,'
            '    changed_columns text[],'
            '    constraint %3$I primary key (history_id, changed_at),'
            '    constraint %4$I check (operation_type in (''UPDATE'', ''DELETE''))'
            ') partition by range (changed_at)',
            entity || '_history', entity, 'pk_' || entity || '_history', 'ck_' || entity || '_history_operation'
        );
        execute format(
            'alter table rooms.%I alter row_xid set default pg_current_xact_id()::text::bigint', entity || '_history'
        );
        key_columns := case entity
            when 'room_participants' then 'room_id, user_id' when 'conversation_conclusions' then 'room_id' else 'id'
        end;
        execute format(
            'create index %I on rooms.%I (%s, changed_at)',
            'idx_' || entity || '_history_key', entity || '_history', key_columns
        );
        execute format(
            'comment on table rooms.%I is %L', entity || '_history',
            format('One row per change of a row of %s: the row as it was before', entity)
        );
    end loop;
    alter table rooms.users_history drop column password_hash;
end $$;
