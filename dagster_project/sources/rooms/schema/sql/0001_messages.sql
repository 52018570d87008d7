-- Messages by the month of created_at, and what hangs on them by the month of their message.
create type rooms.message_type_enum as enum ('chat', 'robot', 'system', 'file', 'image', 'graph');
create type rooms.delivery_status_enum as enum ('streaming', 'batch-delay', 'delivered', 'failed');
create type rooms.robot_status_enum as enum ('pending', 'processing', 'completed', 'failed');

-- No key says what a message replies to: a month could never be archived while a later one answers it.
create table rooms.messages (
    id uuid not null default gen_random_uuid(),
    room_id uuid not null,
    sender_id uuid not null,
    message_type rooms.message_type_enum not null default 'chat',
    content text not null,
    content_metadata jsonb not null default '{}',
    robot_id text,
    robot_response_to uuid,
    is_robot_visible_to_guests boolean default false,
    delivery_status rooms.delivery_status_enum not null default 'streaming',
    reply_to_message_id uuid,
    thread_id uuid,
    client_key text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_messages primary key (id, created_at),
    constraint fk_messages_room foreign key (room_id) references rooms.chat_rooms (id),
    constraint fk_messages_sender foreign key (sender_id) references rooms.users (id)
) partition by range (created_at);
create index idx_messages_room_created_at on rooms.messages (room_id, created_at desc, id desc);
create index idx_messages_sender_created_at on rooms.messages (sender_id, created_at desc);
create index idx_messages_type_room on rooms.messages (message_type, room_id) where deleted_at is null;
create index idx_messages_reply_to on rooms.messages (reply_to_message_id) where reply_to_message_id is not null;
create index idx_messages_client_key on rooms.messages (client_key, sender_id) where client_key is not null;

create table rooms.chat_file_attachments (
    id uuid not null default gen_random_uuid(),
    message_id uuid not null,
    file_manager_file_id uuid not null,
    original_filename text not null,
    file_size bigint not null,
    mime_type text not null,
    thumbnail_url text,
    preview_available boolean default false,
    owner_id uuid not null,
    message_created_at timestamptz not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_chat_file_attachments primary key (id, message_created_at),
    constraint fk_chat_file_attachments_message foreign key (message_id, message_created_at)
    references rooms.messages (id, created_at),
    constraint fk_chat_file_attachments_owner foreign key (owner_id) references rooms.users (id),
    constraint ck_chat_file_attachments_file_size check (file_size >= 0)
) partition by range (message_created_at);
create index idx_chat_file_attachments_message on rooms.chat_file_attachments (message_id, message_created_at);
create index idx_chat_file_attachments_owner on rooms.chat_file_attachments (owner_id, created_at desc);

create table rooms.robot_interactions (
    id uuid not null default gen_random_uuid(),
    message_id uuid not null,
    robot_id text not null,
    request_data jsonb not null,
    observation_data jsonb,
    response_data jsonb,
    status rooms.robot_status_enum not null default 'pending',
    error_message text,
    started_at timestamptz not null default now(),
    completed_at timestamptz,
    message_created_at timestamptz not null,
    is_handover boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_robot_interactions primary key (id, message_created_at),
    constraint fk_robot_interactions_message foreign key (message_id, message_created_at)
    references rooms.messages (id, created_at)
) partition by range (message_created_at);
create index idx_robot_interactions_status on rooms.robot_interactions (status, created_at);
create index idx_robot_interactions_robot_id on rooms.robot_interactions (robot_id, created_at desc);
create index idx_robot_interactions_message on rooms.robot_interactions (message_id, message_created_at);

-- Filled by a job, not by who writes. The document holds the room as a word, so that one index finds words in a room.
create table rooms.message_search (
    room_id uuid not null,
    message_id uuid not null,
    message_created_at timestamptz not null,
    document tsvector not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_message_search primary key (message_id, message_created_at)
) partition by range (message_created_at);
create index idx_message_search_document on rooms.message_search using gin (document);
