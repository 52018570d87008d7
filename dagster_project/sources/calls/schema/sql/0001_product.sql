-- What the product's owner keeps of organizations: five tables of one form, of which the seed names no more.
do $$
declare
    table_name name;
begin
    foreach table_name in array array[
        'feedback_items', 'funnel_events', 'pmf_surveys', 'mrr_snapshots', 'mrr_changes'
    ] loop
        execute format(
            'create table calls.%1$I ('
            '    id uuid not null default gen_random_uuid(),'
            '    organization_id uuid not null,'
            '    kind text,'
            '    value numeric,'
            '    payload jsonb not null default ''{}'','
            '    created_at timestamptz not null default now(),'
            '    updated_at timestamptz not null default now(),'
            '    row_xid bigint not null default pg_current_xact_id()::text::bigint,'
            '    constraint %2$I primary key (id),'
            '    constraint %3$I foreign key (organization_id) references calls.organizations (id)'
            ')',
            table_name, 'pk_' || table_name, 'fk_' || table_name || '_organization'
        );
        execute format(
            'create index %I on calls.%I (organization_id, created_at)',
            'idx_' || table_name || '_org_created', table_name
        );
    end loop;
end $$;
