-- A row for each page that was seen with the widget on it, by the month in which it was seen.
create table calls.widget_pageviews (
    id uuid not null default gen_random_uuid(),
    organization_id uuid not null,
    site_id uuid,
    pool_id uuid,
    visitor_id uuid,
    visitor_country_code text,
    page_url text,
    referrer_domain text,
    popup_shown_at timestamptz,
    popup_dismissed_at timestamptz,
    is_bot boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    row_xid bigint not null default pg_current_xact_id()::text::bigint,
    constraint pk_widget_pageviews primary key (id, created_at),
    constraint fk_widget_pageviews_organization foreign key (organization_id) references calls.organizations (id),
    constraint fk_widget_pageviews_site foreign key (site_id) references calls.sites (id),
    constraint fk_widget_pageviews_pool foreign key (pool_id) references calls.pools (id)
) partition by range (created_at);
create index idx_widget_pageviews_org_date on calls.widget_pageviews (organization_id, created_at);
create index idx_widget_pageviews_pool_date on calls.widget_pageviews (pool_id, created_at) where pool_id is not null;
create index idx_widget_pageviews_org_country on calls.widget_pageviews (organization_id, visitor_country_code)
where visitor_country_code is not null;
create index idx_widget_pageviews_site_id on calls.widget_pageviews (site_id);
