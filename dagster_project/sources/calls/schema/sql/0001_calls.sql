-- Calls by the month in which they were asked for, and the offers of each to agents by the month of their call.

-- A row is one request of one visitor, however many agents it rings. No key leads to its pageview: pageviews are
-- archived a year before calls are.
create table calls.call_logs (
    id uuid not null default gen_random_uuid(),
    organization_id uuid not null,
    site_id uuid,
    pool_id uuid,
    agent_id uuid,
    disposition_id uuid,
    visitor_id uuid,
    pageview_id uuid,
    status text not null default 'pending',
    page_url text,
    visitor_country_code text,
    ring_started_at timestamptz,
    answered_at timestamptz,
    ended_at timestamptz,
    ended_by text,
    reconnect_token text,
    reconnect_eligible boolean not null default false,
    reconnect_count integer not null default 0,
    reconnect_deadline_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_call_logs primary key (id, created_at),
    constraint fk_call_logs_organization foreign key (organization_id) references calls.organizations (id),
    constraint fk_call_logs_site foreign key (site_id) references calls.sites (id),
    constraint fk_call_logs_pool foreign key (pool_id) references calls.pools (id),
    constraint fk_call_logs_agent foreign key (agent_id) references calls.agent_profiles (id),
    constraint fk_call_logs_disposition foreign key (disposition_id) references calls.dispositions (id),
    constraint ck_call_logs_status check (
        status in ('pending', 'accepted', 'completed', 'missed', 'rejected', 'canceled', 'failed')
    ),
    constraint ck_call_logs_ended_by check (ended_by in ('visitor', 'agent', 'system'))
) partition by range (created_at);
create index idx_call_logs_org_created on calls.call_logs (organization_id, created_at);
create index idx_call_logs_org_status_created on calls.call_logs (organization_id, status, created_at);
create index idx_call_logs_pool_created on calls.call_logs (pool_id, created_at) where pool_id is not null;
create index idx_call_logs_org_country on calls.call_logs (organization_id, visitor_country_code)
where visitor_country_code is not null;
create index idx_call_logs_agent_id on calls.call_logs (agent_id);
create index idx_call_logs_pool_id on calls.call_logs (pool_id);
create index idx_call_logs_disposition_id on calls.call_logs (disposition_id);
create index idx_call_logs_site_id on calls.call_logs (site_id);
comment on index calls.idx_call_logs_site_id is
'Few ask for the calls of a site, but whoever deletes a site makes Postgres look for them';
-- The advice was: where token is not null and status = 'accepted' and reconnect_eligible. Where a query sends these two
-- as parameters, a generic plan cannot prove them and reads all calls. These two it always can: = is never NULL, and no
-- end is no parameter. Calls that live are few, so that the index stays as small.
create index idx_call_logs_reconnect_token on calls.call_logs (reconnect_token)
where reconnect_token is not null and ended_at is null;
comment on index calls.idx_call_logs_reconnect_token is
'A call that was cut off is found again, among those that live: without it each page that its visitor loads reads all';

create table calls.call_offers (
    id uuid not null default gen_random_uuid(),
    call_id uuid not null,
    call_created_at timestamptz not null,
    agent_id uuid not null,
    offered_at timestamptz not null,
    outcome text,
    decided_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_call_offers primary key (id, call_created_at),
    constraint fk_call_offers_call foreign key (call_id, call_created_at) references calls.call_logs (id, created_at),
    constraint fk_call_offers_agent foreign key (agent_id) references calls.agent_profiles (id),
    constraint ck_call_offers_outcome check (outcome in ('accepted', 'declined', 'timeout', 'withdrawn'))
) partition by range (call_created_at);
create index idx_call_offers_call on calls.call_offers (call_id, call_created_at);
create index idx_call_offers_agent_offered on calls.call_offers (agent_id, offered_at);
