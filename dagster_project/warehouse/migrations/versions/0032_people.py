"""The dictionary's last tables: users, system settings and the audit log, and who did what before there were users."""

from alembic import op

from dagster_project.warehouse.migrations import monthly

revision = "0032"
down_revision = "0031"

TABLES = (
    """
    create table ops.users (
        id text primary key check (id <> ''),
        email text not null unique check (email = lower(email)),
        name text,
        role text not null check (role in ('Manager', 'Admin')),
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        kind text not null default 'person' check (kind in ('person', 'service')),
        disabled_at timestamptz
    )
    """,
    """
    create table ops.system_settings (
        id text primary key default gen_random_uuid()::text,
        key text not null unique,
        value text not null,
        category text not null check (category in ('b2chat', 'claude', 'app', 'user', 'notification')),
        description text,
        is_system_setting boolean not null default false,
        user_id text references ops.users (id),
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        constraint system_settings_user_or_system check (is_system_setting = (user_id is null)),
        constraint system_settings_hold_no_secret check (
            key !~* '(secret|salt|passw|token|credential|api_?key|access_?key|(database|webhook|heartbeat|apprise)_url)'
        )
    )
    """,
    "create index system_settings_category_idx on ops.system_settings (category)",
    "create index system_settings_user_id_idx on ops.system_settings (user_id)",
    """
    create table ops.audit_logs (
        id text not null default gen_random_uuid()::text,
        "timestamp" timestamptz not null default now(),
        user_id text,
        user_email text,
        session_id text,
        ip_address text,
        user_agent text,
        event_type text not null check (event_type ~ '^[a-z]+\\.[a-z_]+$'),
        severity text not null check (severity in ('low', 'medium', 'high', 'critical')),
        resource text,
        action text,
        details jsonb,
        metadata jsonb,
        success boolean not null default true,
        error_message text,
        request_id text,
        correlation_id text,
        created_at timestamptz not null default now(),
        primary key (id, "timestamp")
    ) partition by range ("timestamp")
    """,
    'create index audit_logs_timestamp_idx on ops.audit_logs ("timestamp" desc)',
    "create index audit_logs_created_at_idx on ops.audit_logs (created_at desc)",
    *(
        f"create index audit_logs_{column}_idx on ops.audit_logs ({column})"
        for column in ("user_id", "event_type", "severity", "request_id", "correlation_id")
    ),
)
COMMENTS = {
    "users": {
        "": "One row per person or program that starts something; whoever did is disabled, never deleted",
        "id": "What other tables name the user by: an account''s name, as a rule",
        "email": "In lower case; of a service without one <id>@service.invalid, which no mail reaches",
        "role": "Manager: reads dashboards and reports, asks for analyses and exports. Admin: all",
        "kind": "person, or service: a program, an account of the operating system, whoever nobody has introduced",
        "disabled_at": "Since when the user may start nothing; NULL while the user may",
    },
    "system_settings": {
        "": "One row per setting that was changed at run time: it counts over the environment''s",
        "key": "The environment variable whose value it takes the place of",
        "value": "As the environment would have it; never a secret",
        "user_id": "Whose preference it is; NULL for a setting of the whole system",
    },
    "audit_logs": {
        "": "One row per event that somebody may have to answer for; never changed, dropped by month after seven years",
        "user_id": "Who did it: a user, or the login where no user is known. Not a foreign key",
        "user_email": "The address that the user had then",
        "session_id": "The database session, as the server''s log names it; of a web request its own",
        "event_type": "One of dagster_project/warehouse/access/audit_log.py",
        "resource": "What it was done to, kind:id",
        "details": "What changed, of columns that hold no personal data",
        "metadata": "More about it; database_role is the login, which nobody can feign",
    },
}
# No row is changed or deleted, by whichever name of the table; `enable always` holds in a session that turns triggers
# off too (session_replication_role). Partitions get it from ops.keep_month.
GUARD = (
    """
    create function ops.refuse_to_rewrite() returns trigger language plpgsql set search_path = pg_catalog as $$
    begin
        raise exception 'the audit log cannot be changed: % on % was refused', lower(tg_op), tg_table_name
            using errcode = 'insufficient_privilege';
    end $$
    """,
    """
    create trigger audit_logs_are_kept before update or delete or truncate on ops.audit_logs
    for each statement execute function ops.refuse_to_rewrite()
    """,
    "alter table ops.audit_logs enable always trigger audit_logs_are_kept",
    "revoke update, delete, truncate on ops.audit_logs from public, current_user",
)
# The one way in: the server says when it was, from where and by which login. Definer's rights, so that a role needs
# this function and no right to the table.
AUDIT = """
    create function ops.audit(
        event_type text, severity text, action text, resource text, user_id text, success boolean,
        details jsonb default null, metadata jsonb default null, error_message text default null,
        request_id text default null, correlation_id text default null,
        session_id text default null, ip_address text default null, user_agent text default null
    ) returns text language plpgsql security definer set search_path = pg_catalog as $$
    #variable_conflict use_column
    declare
        known record;
        made text;
    begin
        if to_regclass('ops.audit_logs_' || to_char(now() at time zone 'UTC', 'YYYY_MM')) is null then
            perform ops.keep_month('ops.audit_logs', (now() at time zone 'UTC')::date);
        end if;
        select users.id, users.email into known from ops.users
        where users.id = audit.user_id or users.email = lower(audit.user_id)
        order by users.id = audit.user_id desc limit 1;
        insert into ops.audit_logs (
            user_id, user_email, session_id, ip_address, user_agent, event_type, severity, resource, action, details,
            metadata, success, error_message, request_id, correlation_id
        ) values (
            nullif(coalesce(known.id, audit.user_id, session_user), ''), known.email,
            coalesce(audit.session_id, (
                select to_hex(extract(epoch from backend_start)::bigint) || '.' || to_hex(pid)
                from pg_stat_get_activity(pg_backend_pid())
            )),
            coalesce(audit.ip_address, host(inet_client_addr())),
            coalesce(audit.user_agent, nullif(current_setting('application_name'), '')),
            audit.event_type, audit.severity, audit.resource, audit.action, audit.details,
            coalesce(audit.metadata, '{}') || jsonb_build_object('database_role', session_user),
            audit.success, audit.error_message, audit.request_id, audit.correlation_id
        ) returning id into made;
        return made;
    end $$
"""
# For any table: (resource, key column, column of who did it or '', columns to show, event type or '').
# Columns that are not named are never shown. Who changes or deletes a row is the session's b2chat.user, else its login.
AUDIT_CHANGE = """
    create function ops.audit_change() returns trigger language plpgsql security definer set search_path = pg_catalog
    as $$
    declare
        before jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
        after jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
        given jsonb := coalesce(after, before);
        acting text := nullif(current_setting('b2chat.user', true), '');
        details jsonb;
    begin
        if before = after then
            return null;
        end if;
        select jsonb_strip_nulls(jsonb_build_object(
            'old', jsonb_object_agg(shown, before -> shown) filter (where before is not null),
            'new', jsonb_object_agg(shown, after -> shown) filter (where after is not null)
        )) into details
        from unnest(string_to_array(tg_argv[3], ',')) as shown
        where before -> shown is distinct from after -> shown;
        perform ops.audit(
            case when tg_argv[4] <> '' then tg_argv[4]
                else case tg_op when 'INSERT' then 'data.create' when 'UPDATE' then 'data.update' else 'data.delete' end
            end,
            case when tg_op = 'DELETE' or tg_argv[0] in ('user', 'setting') then 'high' else 'medium' end,
            case when tg_argv[4] ~ '^(data|export)\\.export' then 'export'
                else case tg_op when 'INSERT' then 'create' when 'UPDATE' then 'update' else 'delete' end
            end,
            tg_argv[0] || ':' || (given ->> tg_argv[1]),
            case tg_op
                when 'INSERT' then coalesce(given ->> tg_argv[2], acting)
                when 'UPDATE' then coalesce(acting, given ->> tg_argv[2])
                else acting
            end,
            coalesce(lower(after ->> 'status') not in ('failed', 'error'), true),
            details,
            case when tg_op = 'INSERT' and acting <> given ->> tg_argv[2] then jsonb_build_object('acting', acting) end
        );
        return null;
    end $$
"""
# The user of a starter, who is made one where nobody knows the name. It can make nothing but a service that may little.
USER_OF = """
    create function ops.user_of(starter text) returns text language plpgsql security definer
    set search_path = pg_catalog as $$
    declare
        given constant text := trim(starter);
        known text;
    begin
        for attempt in 1..2 loop
            select users.id into known from ops.users
            where users.id = given or users.email = lower(given) order by users.id = given desc limit 1;
            exit when known is not null or given = '' or given is null;
            insert into ops.users (id, email, role, kind) values (
                given,
                case
                    when given ~ '^[^@\\s]+@[^@\\s]+$' then lower(given)
                    when given ~ '^[a-z0-9._-]+$' then given || '@service.invalid'
                    else md5(given) || '@service.invalid'
                end,
                'Manager', 'service'
            ) on conflict do nothing;
        end loop;
        return coalesce(known, given);
    end $$
"""
NAME_USER = """
    create function ops.name_user() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
    begin
        return jsonb_populate_record(
            new, jsonb_build_object(tg_argv[0], ops.user_of(to_jsonb(new) ->> tg_argv[0]))
        );
    end $$
"""
FUNCTIONS = {
    "ops.audit": AUDIT,
    "ops.audit_change": AUDIT_CHANGE,
    "ops.user_of": USER_OF,
    "ops.name_user": NAME_USER,
}
# Who it was, by table: these name a user, whoever writes them.
STARTERS = {
    "ops.sync_logs": "user_id",
    "ops.notifications": "user_id",
    "ops.notification_mutes": "muted_by",
    "ops.export_logs": "user_id",
    "analysis.analysis_exports": "generated_by",
    "analysis.customer_analyses": "triggered_by",
    "analysis.human_labels": "labelled_by",
    "analysis.effectiveness_analysis": "user_id",
}
# A row a chat and classification, written by the thousand: its writer asks once who the user is.
BULK = "analysis.effectiveness_analysis"
INDEXES = {
    "analysis.human_labels": "create index human_labels_labelled_by_idx on analysis.human_labels (labelled_by)",
    "ops.notification_mutes": "create index notification_mutes_muted_by_idx on ops.notification_mutes (muted_by)",
}
# What is audited by trigger: table, when, and the arguments of ops.audit_change.
AUDITED = (
    ("ops.users", "insert or update or delete", "", ("user", "id", "", "role,kind,disabled_at", "")),
    (
        "ops.system_settings",
        "insert or update or delete",
        "",
        ("setting", "key", "", "value,category,user_id", "settings.update"),
    ),
    (
        "analysis.human_labels",
        "insert or update or delete",
        "",
        (
            "label",
            "label_id",
            "labelled_by",
            "customer_intent,journey_stage,sentiment,agent_quality_score,no_stage_applies,no_quality_applies",
            "",
        ),
    ),
    (
        "analysis.customer_analyses",
        "insert or delete",
        "",
        ("analysis", "id", "triggered_by", "status,classifier,sample_rate", ""),
    ),
    (
        "analysis.customer_analyses",
        "update of status",
        "when (old.status is distinct from new.status)",
        ("analysis", "id", "triggered_by", "status,classifier,sample_rate", ""),
    ),
    ("ops.export_logs", "insert", "", ("export", "id", "user_id", "export_type,format,status", "export.start")),
    (
        "ops.export_logs",
        "update of status",
        "when (new.status in ('completed', 'failed') and old.status is distinct from new.status)",
        ("export", "id", "user_id", "export_type,format,status,record_count,size_bytes", "data.export"),
    ),
    (
        "ops.export_logs",
        "update of status",
        "when (new.status not in ('completed', 'failed') and old.status is distinct from new.status)",
        ("export", "id", "user_id", "status", "export.expire"),
    ),
    ("ops.export_logs", "delete", "", ("export", "id", "user_id", "export_type,format,status", "")),
)


def upgrade() -> None:
    op.execute(monthly.PARTITION_FUNCTION)
    for statement in (*TABLES, *GUARD, *FUNCTIONS.values()):
        op.execute(statement)
    for function in FUNCTIONS:
        op.execute(f"revoke execute on function {function} from public")
    for table, columns in COMMENTS.items():
        for column, text in columns.items():
            thing = f"column ops.{table}.{column}" if column else f"table ops.{table}"
            op.execute(f"comment on {thing} is '{text}'")
    op.execute("""
        select ops.keep_month('ops.audit_logs', (now() at time zone 'UTC' + ahead * interval '1 month')::date)
        from generate_series(0, 3) as ahead
    """)
    op.execute("select ops.user_of(name) from unnest(array['dagster', 'operators', 'pipeline']) as name")
    for table, column in STARTERS.items():
        _name_who_is_there(table, column)
    for number, (table, event, condition, arguments) in enumerate(AUDITED):
        given = ", ".join(f"'{argument}'" for argument in arguments)
        op.execute(
            f"create trigger {table.split('.')[1]}_audited_{number} after {event} on {table} "
            f"for each row {condition} execute function ops.audit_change({given})"
        )


def downgrade() -> None:
    for number, (table, *_) in enumerate(AUDITED):
        op.execute(f"drop trigger {table.split('.')[1]}_audited_{number} on {table}")
    for table, column in STARTERS.items():
        name = table.split(".")[1]
        op.execute(f"drop trigger if exists {name}_name_user on {table}")
        op.execute(f"alter table {table} drop constraint {name}_{column}_fkey")
        if table in INDEXES:
            op.execute(f"drop index {table.split('.')[0]}.{name}_{column}_idx")
    op.execute("drop table ops.audit_logs, ops.system_settings, ops.users cascade")
    for function in ("ops.refuse_to_rewrite", *FUNCTIONS):
        op.execute(f"drop function {function}")


def _name_who_is_there(table: str, column: str) -> None:
    """Users for the rows that there are; a row whose user has another id takes that one."""
    name = table.split(".")[1]
    op.execute(f"""
        with named as materialized (
            select starter, ops.user_of(starter) as id
            from (select distinct {column} as starter from {table}) as starters
        )

        update {table} as rows set {column} = named.id from named
        where rows.{column} = named.starter and named.id <> named.starter
    """)  # noqa: S608
    if table in INDEXES:
        op.execute(INDEXES[table])
    if table != BULK:
        op.execute(
            f"create trigger {name}_name_user before insert on {table} "
            f"for each row execute function ops.name_user('{column}')"
        )
    op.execute(
        f"alter table {table} add constraint {name}_{column}_fkey foreign key ({column}) references ops.users (id)"
    )
