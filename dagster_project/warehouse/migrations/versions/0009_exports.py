"""Exports: what was handed out, to whom, where it lies and until when."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("""
        create table ops.export_logs (
            id text primary key,
            user_id text not null check (user_id <> ''),
            export_type text not null
                check (export_type in ('report', 'analysis', 'chats', 'agents', 'kpis', 'table')),
            format text not null check (format in ('pdf', 'xlsx', 'csv', 'csv-excel', 'parquet')),
            language text not null check (language in ('es', 'en')),
            filters jsonb not null,
            analysis_id text,
            run_id text,
            file_name text not null,
            file_url text not null,
            store text not null,
            key text not null,
            record_count bigint not null default 0,
            size_bytes bigint,
            sha256 text,
            status text not null default 'pending'
                check (status in ('pending', 'processing', 'completed', 'failed', 'expired')),
            error_message text,
            created_at timestamptz not null default now(),
            completed_at timestamptz,
            expires_at timestamptz,
            check (status <> 'failed' or error_message is not null),
            check (status <> 'completed' or (completed_at is not null and size_bytes is not null
                                             and sha256 is not null))
        )
    """)
    op.execute("create index export_logs_user_id_created_at_idx on ops.export_logs (user_id, created_at)")
    op.execute("create index export_logs_status_expires_at_idx on ops.export_logs (status, expires_at)")
    op.execute("create index export_logs_analysis_id_idx on ops.export_logs (analysis_id)")
    op.execute(
        "comment on table ops.export_logs is "
        "'One row per export, whatever became of it: who asked for what, where the file lies, until when'"
    )
    op.execute("""
        create table analysis.analysis_exports (
            id text primary key,
            created_at timestamptz not null default now(),
            analysis_id text not null references analysis.customer_analyses (id) on delete cascade,
            format text not null check (format in ('PDF', 'XLSX', 'CSV', 'PARQUET')),
            file_name text not null,
            blob_url text not null,
            blob_key text not null,
            generated_by text not null,
            file_size_bytes bigint not null,
            expires_at timestamptz
        )
    """)
    for columns in ("analysis_id, created_at", "generated_by, created_at", "expires_at"):
        name = columns.replace(", ", "_")
        op.execute(f"create index analysis_exports_{name}_idx on analysis.analysis_exports ({columns})")
    op.execute(
        "comment on table analysis.analysis_exports is "
        "'One row per file of an analysis that is there to be read; ops.export_logs has the same id'"
    )


def downgrade() -> None:
    op.execute("drop table analysis.analysis_exports, ops.export_logs")
