-- Organizations, their people, sites and pools, and who is invited.
create table calls.organizations (
    id uuid not null default gen_random_uuid(),
    name text not null,
    timezone text not null default 'America/Bogota',
    is_active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_organizations primary key (id)
);

create table calls.users (
    id uuid not null default gen_random_uuid(),
    organization_id uuid not null,
    email text not null,
    name text not null,
    role text not null default 'agent',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_users primary key (id),
    constraint fk_users_organization foreign key (organization_id) references calls.organizations (id),
    constraint ck_users_role check (role in ('agent', 'supervisor', 'admin'))
);
create index idx_users_organization_id on calls.users (organization_id);
create unique index uq_users_email_lower on calls.users (lower(email));
comment on index calls.uq_users_email_lower is 'Logins look people up by their address, however it is written';

create table calls.sites (
    id uuid not null default gen_random_uuid(),
    organization_id uuid not null,
    name text not null,
    domain text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_sites primary key (id),
    constraint fk_sites_organization foreign key (organization_id) references calls.organizations (id)
);
create index idx_sites_organization_id on calls.sites (organization_id);

create table calls.agent_profiles (
    id uuid not null default gen_random_uuid(),
    organization_id uuid not null,
    user_id uuid not null,
    display_name text not null,
    is_active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_agent_profiles primary key (id),
    constraint uq_agent_profiles_user unique (user_id),
    constraint fk_agent_profiles_organization foreign key (organization_id) references calls.organizations (id),
    constraint fk_agent_profiles_user foreign key (user_id) references calls.users (id)
);
create index idx_agent_profiles_organization_id on calls.agent_profiles (organization_id);

create table calls.pools (
    id uuid not null default gen_random_uuid(),
    organization_id uuid not null,
    name text not null,
    is_active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_pools primary key (id),
    constraint fk_pools_organization foreign key (organization_id) references calls.organizations (id)
);
create index idx_pools_organization_id on calls.pools (organization_id);

create table calls.agent_pool_members (
    id uuid not null default gen_random_uuid(),
    pool_id uuid not null,
    agent_profile_id uuid not null,
    added_at timestamptz not null default now(),
    removed_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_agent_pool_members primary key (id),
    constraint fk_agent_pool_members_pool foreign key (pool_id) references calls.pools (id),
    constraint fk_agent_pool_members_agent foreign key (agent_profile_id) references calls.agent_profiles (id)
);
create index idx_agent_pool_members_pool_id on calls.agent_pool_members (pool_id);
create index idx_agent_pool_members_agent_profile_id on calls.agent_pool_members (agent_profile_id);

create table calls.pool_routing_rules (
    id uuid not null default gen_random_uuid(),
    pool_id uuid not null,
    priority integer not null default 1,
    condition jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_pool_routing_rules primary key (id),
    constraint fk_pool_routing_rules_pool foreign key (pool_id) references calls.pools (id)
);
create index idx_pool_routing_rules_pool_id on calls.pool_routing_rules (pool_id);

create table calls.dispositions (
    id uuid not null default gen_random_uuid(),
    organization_id uuid not null,
    name text not null,
    color text not null,
    is_success boolean,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_dispositions primary key (id),
    constraint fk_dispositions_organization foreign key (organization_id) references calls.organizations (id)
);
create index idx_dispositions_organization_id on calls.dispositions (organization_id);

create table calls.invites (
    id uuid not null default gen_random_uuid(),
    organization_id uuid not null,
    email text not null,
    token text not null,
    invited_by uuid,
    expires_at timestamptz not null,
    accepted_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_invites primary key (id),
    constraint fk_invites_organization foreign key (organization_id) references calls.organizations (id),
    constraint fk_invites_invited_by foreign key (invited_by) references calls.users (id)
);
create unique index idx_invites_token on calls.invites (token);
create index idx_invites_organization_id on calls.invites (organization_id);
create index idx_invites_invited_by on calls.invites (invited_by);
create index idx_invites_expires_at on calls.invites (expires_at) where accepted_at is null;
comment on index calls.idx_invites_expires_at is
'The job clean_up_invites asks for the oldest that expired and was not accepted: without it, it reads all invites';
