"""What the database audit keeps: a snapshot of the counters a day, and its findings."""

from alembic import op

revision = "0029"
down_revision = "0028"

TABLES = (
    """
    create table ops.database_snapshots (
        taken_on date primary key,
        taken_at timestamptz not null,
        system_identifier text,
        stats_reset_at timestamptz,
        statements_reset_at timestamptz,
        statement_eviction_count bigint,
        block_read_count bigint not null,
        block_hit_count bigint not null
    )
    """,
    """
    create table ops.database_table_snapshots (
        taken_on date not null references ops.database_snapshots on delete cascade,
        schema_name text not null,
        table_name text not null,
        table_oid oid not null,
        kept_days integer,
        row_count bigint,
        heap_bytes bigint not null,
        index_bytes bigint not null,
        toast_bytes bigint not null,
        seq_scan_count bigint not null,
        seq_tuple_count bigint not null,
        inserted_count bigint not null,
        deleted_count bigint not null,
        primary key (taken_on, schema_name, table_name)
    )
    """,
    """
    create table ops.database_index_snapshots (
        taken_on date not null references ops.database_snapshots on delete cascade,
        schema_name text not null,
        index_name text not null,
        index_oid oid not null,
        table_name text not null,
        bytes bigint not null,
        scan_count bigint not null,
        primary key (taken_on, schema_name, index_name)
    )
    """,
    """
    create table ops.database_statement_snapshots (
        taken_on date not null references ops.database_snapshots on delete cascade,
        user_name text not null,
        query_id bigint not null,
        is_toplevel boolean not null,
        is_own boolean not null,
        statement text check (length(statement) <= 500),
        call_count bigint not null,
        row_count bigint not null,
        total_seconds double precision not null,
        primary key (taken_on, user_name, query_id, is_toplevel)
    )
    """,
    """
    create table ops.database_findings (
        finding_id bigint generated always as identity primary key,
        rule text not null,
        check_name text not null,
        schema_name text not null,
        object text not null,
        severity text not null check (severity in ('error', 'warning', 'info', 'not_checked')),
        evidence text not null,
        fix text,
        exception_reason text,
        exception_until date,
        since timestamptz not null,
        last_seen_at timestamptz not null,
        resolved_at timestamptz
    )
    """,
    "create unique index database_findings_open_key on ops.database_findings (check_name, object) "
    "where resolved_at is null",
)
COMMENTS = {
    "database_snapshots": "One row per day on which the whole database was audited: what its counters are compared by",
    "database_table_snapshots": "One row per day and table, a partitioned one as a whole: size and counters",
    "database_index_snapshots": "One row per day and index, a partitioned one as a whole: size and scans",
    "database_statement_snapshots": "One row per day, user and statement, without values: its counters",
    "database_findings": "One row per finding of the audit and time in which it stood",
}
# They are the server's to give: where we may not, the audit says what it did not check, and who can change that.
EXTENSION = """
    do $$ begin
        create extension if not exists {name} with schema ops;
    exception when insufficient_privilege or undefined_file or feature_not_supported then
        raise notice 'the extension {name} is not to be had';
    end $$
"""
NO_EXTENSION = """
    do $$ begin
        if exists (
            select from pg_extension where extname = '{name}' and extnamespace = 'ops'::regnamespace
        ) then
            drop extension {name};
        end if;
    end $$
"""
EXTENSIONS = ("pg_stat_statements", "pgstattuple")


def upgrade() -> None:
    # The key begins with the same column: the audit's own first finding.
    op.execute("drop index ops.api_response_logs_created_at_idx")
    for table in TABLES:
        op.execute(table)
    for name, comment in COMMENTS.items():
        op.execute(f"comment on table ops.{name} is '{comment}'")
    for name in EXTENSIONS:
        op.execute(EXTENSION.format(name=name))


def downgrade() -> None:
    for name in EXTENSIONS:
        op.execute(NO_EXTENSION.format(name=name))
    op.execute("drop table ops.database_findings")
    for kind in ("statement", "index", "table"):
        op.execute(f"drop table ops.database_{kind}_snapshots")
    op.execute("drop table ops.database_snapshots")
    op.execute("create index api_response_logs_created_at_idx on ops.api_response_logs (created_at)")
