-- Organizations, users, rooms and who takes part in them.
create type rooms.user_account_type_informal_enum as enum (
    'guest', 'registered', 'agent', 'supervisor', 'robot', 'admin'
);
create type rooms.user_account_status_enum as enum ('pending-verification', 'active', 'suspended', 'closed');
create type rooms.room_type_enum as enum ('group', 'direct', 'support', 'escalated');
create type rooms.room_status_enum as enum ('active', 'archived', 'closed');
create type rooms.participant_role_enum as enum ('member', 'moderator', 'observer', 'guest');
create type rooms.participant_status_enum as enum ('active', 'muted', 'removed', 'left');

create table rooms.organizations (
    id uuid not null default gen_random_uuid(),
    name text not null,
    is_active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_organizations primary key (id)
);

create table rooms.users (
    id uuid not null default gen_random_uuid(),
    username text not null,
    first_name text not null,
    last_name text not null,
    email text not null,
    password_hash text not null,
    display_name text,
    avatar_url text,
    current_status text not null default 'offline',
    last_seen_at timestamptz,
    chat_preferences jsonb not null default '{}',
    account_type_informal rooms.user_account_type_informal_enum not null default 'guest',
    current_account_status rooms.user_account_status_enum not null default 'pending-verification',
    is_email_verified boolean not null default false,
    organization_id uuid not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_users primary key (id),
    constraint uq_users_username unique (username),
    constraint uq_users_email unique (email),
    constraint fk_users_organization foreign key (organization_id) references rooms.organizations (id)
);
create unique index uq_users_email_lower on rooms.users (lower(email));
create index idx_users_status_last_seen on rooms.users (current_status, last_seen_at);
create index idx_users_organization on rooms.users (organization_id);

create table rooms.chat_rooms (
    id uuid not null default gen_random_uuid(),
    name text,
    description text,
    room_type rooms.room_type_enum not null default 'group',
    status rooms.room_status_enum not null default 'active',
    issue_id text,
    issue_description text,
    is_private boolean not null default false,
    guest_access_allowed boolean not null default true,
    max_participants integer default 50,
    creator_id uuid not null,
    parent_room_id uuid,
    escalation_level integer default 1,
    room_settings jsonb not null default '{}',
    organization_id uuid not null,
    root_room_id uuid not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_chat_rooms primary key (id),
    constraint fk_chat_rooms_creator foreign key (creator_id) references rooms.users (id),
    constraint fk_chat_rooms_parent foreign key (parent_room_id) references rooms.chat_rooms (id),
    constraint fk_chat_rooms_root foreign key (root_room_id) references rooms.chat_rooms (id),
    constraint fk_chat_rooms_organization foreign key (organization_id) references rooms.organizations (id),
    constraint ck_chat_rooms_level check (escalation_level between 1 and 4),
    constraint ck_chat_rooms_max_participants check (max_participants > 0),
    constraint ck_chat_rooms_parent check (parent_room_id <> id)
);
create index idx_chat_rooms_creator on rooms.chat_rooms (creator_id);
create index idx_chat_rooms_parent on rooms.chat_rooms (parent_room_id);
create index idx_chat_rooms_root on rooms.chat_rooms (root_room_id);
create index idx_chat_rooms_organization on rooms.chat_rooms (organization_id);

create table rooms.room_participants (
    room_id uuid not null,
    user_id uuid not null,
    role rooms.participant_role_enum not null default 'member',
    status rooms.participant_status_enum not null default 'active',
    can_send_messages boolean not null default true,
    can_invite_others boolean not null default false,
    can_see_history boolean not null default true,
    joined_at timestamptz not null default now(),
    last_read_at timestamptz,
    left_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_room_participants primary key (room_id, user_id),
    constraint fk_room_participants_room foreign key (room_id) references rooms.chat_rooms (id),
    constraint fk_room_participants_user foreign key (user_id) references rooms.users (id),
    constraint ck_room_participants_left_at check (left_at >= joined_at)
);
create index idx_room_participants_user_active on rooms.room_participants (user_id) where status = 'active';
create index idx_room_participants_room_active on rooms.room_participants (room_id) where status = 'active';
create index idx_room_participants_user on rooms.room_participants (user_id);

-- Heartbeats stand here, so that the audit of users is about users.
create table rooms.user_presence_changes (
    user_id uuid not null,
    to_status text not null,
    changed_at timestamptz not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_user_presence_changes primary key (user_id, changed_at),
    constraint fk_user_presence_changes_user foreign key (user_id) references rooms.users (id)
) partition by range (changed_at);
