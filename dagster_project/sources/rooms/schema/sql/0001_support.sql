-- Escalations, how conversations ended, permissions, the log of reads, and where old months are.
create type rooms.escalation_status_enum as enum ('created', 'assigned', 'in_progress', 'resolved', 'cancelled');
create type rooms.support_level_enum as enum ('T1', 'T2', 'T3', 'manager');
create type rooms.conclusion_outcome_enum as enum ('resolved', 'unresolved', 'abandoned', 'duplicate', 'escalated');

create table rooms.escalations (
    id uuid not null default gen_random_uuid(),
    source_room_id uuid not null,
    target_room_id uuid,
    escalation_reason text not null,
    from_level rooms.support_level_enum not null,
    to_level rooms.support_level_enum not null,
    priority integer default 3,
    created_by_user_id uuid not null,
    assigned_to_user_id uuid,
    status rooms.escalation_status_enum not null default 'created',
    resolution_notes text,
    resolved_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_escalations primary key (id),
    constraint fk_escalations_source_room foreign key (source_room_id) references rooms.chat_rooms (id),
    constraint fk_escalations_target_room foreign key (target_room_id) references rooms.chat_rooms (id),
    constraint fk_escalations_created_by foreign key (created_by_user_id) references rooms.users (id),
    constraint fk_escalations_assigned_to foreign key (assigned_to_user_id) references rooms.users (id),
    constraint ck_escalations_levels check (from_level <> to_level),
    constraint ck_escalations_priority check (priority between 1 and 5),
    constraint ck_escalations_resolved_at check ((status = 'resolved') = (resolved_at is not null))
);
create index idx_escalations_source_room on rooms.escalations (source_room_id);
create index idx_escalations_target_room on rooms.escalations (target_room_id);
create index idx_escalations_created_by on rooms.escalations (created_by_user_id);
create index idx_escalations_assigned_to on rooms.escalations (assigned_to_user_id);

create table rooms.conversation_conclusions (
    room_id uuid not null,
    concluded_at timestamptz not null,
    concluded_by_user_id uuid,
    outcome rooms.conclusion_outcome_enum not null,
    is_confirmed_by_customer boolean,
    summary text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_conversation_conclusions primary key (room_id),
    constraint fk_conversation_conclusions_room foreign key (room_id) references rooms.chat_rooms (id),
    constraint fk_conversation_conclusions_concluded_by foreign key (concluded_by_user_id) references rooms.users (id)
);
create index idx_conversation_conclusions_concluded_by on rooms.conversation_conclusions (concluded_by_user_id);

create table rooms.access_permission_domains (
    permission_prefix text not null,
    description text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_access_permission_domains primary key (permission_prefix)
);

create table rooms.access_permissions (
    permission text not null,
    permission_prefix text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_access_permissions primary key (permission),
    constraint fk_access_permissions_domain foreign key (permission_prefix)
    references rooms.access_permission_domains (permission_prefix),
    constraint ck_access_permissions_prefix check (starts_with(permission, permission_prefix || ':'))
);
create index idx_access_permissions_prefix on rooms.access_permissions (permission_prefix);

create table rooms.access_roles (
    role text not null,
    description text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_access_roles primary key (role)
);

create table rooms.role_permissions (
    role text not null,
    permission text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_role_permissions primary key (role, permission),
    constraint fk_role_permissions_role foreign key (role) references rooms.access_roles (role),
    constraint fk_role_permissions_permission foreign key (permission) references rooms.access_permissions (permission)
);
create index idx_role_permissions_permission on rooms.role_permissions (permission);

-- A room of NULL: everywhere in the user's organization.
create table rooms.user_roles (
    id uuid not null default gen_random_uuid(),
    user_id uuid not null,
    role text not null,
    room_id uuid,
    granted_by uuid,
    valid_from timestamptz not null default now(),
    valid_to timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_user_roles primary key (id),
    constraint fk_user_roles_user foreign key (user_id) references rooms.users (id),
    constraint fk_user_roles_role foreign key (role) references rooms.access_roles (role),
    constraint fk_user_roles_room foreign key (room_id) references rooms.chat_rooms (id),
    constraint fk_user_roles_granted_by foreign key (granted_by) references rooms.users (id),
    constraint ck_user_roles_valid_to check (valid_to > valid_from)
);
create index idx_user_roles_user on rooms.user_roles (user_id);
create index idx_user_roles_role on rooms.user_roles (role);
create index idx_user_roles_room on rooms.user_roles (room_id);
create index idx_user_roles_granted_by on rooms.user_roles (granted_by);

create table rooms.data_access_log (
    id uuid not null default gen_random_uuid(),
    at timestamptz not null default now(),
    user_id uuid,
    room_id uuid,
    purpose text not null,
    rows_read bigint not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_data_access_log primary key (id)
);
create index idx_data_access_log_at on rooms.data_access_log (at);

create table rooms.archives (
    "table" text not null,
    partition text not null,
    "from" timestamptz not null,
    "to" timestamptz not null,
    state text not null default 'online',
    rows bigint,
    bytes bigint,
    sha256 text,
    content_sum numeric,
    uri text,
    planned_at timestamptz,
    exported_at timestamptz,
    verified_at timestamptz,
    detached_at timestamptz,
    dropped_at timestamptz,
    restored_at timestamptz,
    purged_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_archives primary key ("table", partition),
    constraint ck_archives_state check (
        state in ('online', 'planned', 'exported', 'verified', 'detached', 'dropped', 'restored', 'purged')
    )
);

-- Files of attachments whose month was archived: the file manager's, which may put them away too.
create table rooms.archived_files (
    attachment_id uuid not null,
    file_manager_file_id uuid not null,
    message_created_at timestamptz not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_archived_files primary key (attachment_id)
);

-- How far jobs have read: rows below this transaction.
create table rooms.job_watermarks (
    job text not null,
    next_xid bigint not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_job_watermarks primary key (job)
);
