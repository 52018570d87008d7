-- When agents are signed in, and what they do then, by the month in which a session began or a status changed.
create table calls.agent_sessions (
    id uuid not null default gen_random_uuid(),
    agent_id uuid not null,
    organization_id uuid not null,
    started_at timestamptz not null,
    ended_at timestamptz,
    ended_by text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_agent_sessions primary key (id, started_at),
    constraint fk_agent_sessions_agent foreign key (agent_id) references calls.agent_profiles (id),
    constraint fk_agent_sessions_organization foreign key (organization_id) references calls.organizations (id),
    constraint ck_agent_sessions_ended_by check (ended_by in ('agent', 'timeout', 'unknown'))
) partition by range (started_at);
create index idx_agent_sessions_agent_date on calls.agent_sessions (agent_id, started_at);
create index idx_agent_sessions_org_date on calls.agent_sessions (organization_id, started_at);
create index idx_agent_sessions_active on calls.agent_sessions (agent_id) where ended_at is null;

create table calls.agent_status_changes (
    id uuid not null default gen_random_uuid(),
    agent_id uuid not null,
    from_status text,
    to_status text not null,
    reason text,
    changed_at timestamptz not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_agent_status_changes primary key (id, changed_at),
    constraint fk_agent_status_changes_agent foreign key (agent_id) references calls.agent_profiles (id),
    constraint ck_agent_status_changes_to_status check (
        to_status in ('available', 'in_call', 'wrap_up', 'busy', 'away', 'offline')
    )
) partition by range (changed_at);
create index idx_status_changes_agent_status on calls.agent_status_changes (agent_id, to_status, changed_at);
create index idx_status_changes_agent_changed on calls.agent_status_changes (agent_id, changed_at);
comment on index calls.idx_status_changes_agent_changed is
'What an agent did, in order of time: the other index has the status between';
