"""What dbt remembers of its builds stands in ops, beside the watermarks: it was made by dbt itself, among its models.

What was remembered is kept, so the first build after this migration reads no more than it would have.
"""

from alembic import op

revision = "0022"
down_revision = "0021"

# By name in ops: name among the models, and how a warehouse gets it that dbt has not built yet.
TABLES = {
    "build_fingerprints": (
        "build_fingerprints",
        "relation text primary key, fingerprint text not null, built_at timestamptz not null",
        "One row per relation that dbt builds: what it was built from, so that a changed rule or setting rebuilds it",
    ),
    "calendar_and_target_versions": (
        "rule_loads",
        "load_id bigint primary key, content_hash text not null, loaded_at timestamptz not null",
        "One row per change of the effective-dated seeds (hours, holidays, targets); load_id is of the sequence of "
        "ops.page_loads",
    ),
    "last_build": (
        "last_build",
        "is_last boolean primary key default true check (is_last), invocation_id text not null, "
        "began_at timestamptz not null, load_id bigint not null, as_of timestamptz, has_all_versions boolean not null, "
        "project text",
        "One row: the last run of dbt, the loads that it began with, and, once it has built and tested everything, "
        "its project",
    ),
}
RENAMED = {
    "calendar_and_target_versions": ("rules", "content_hash"),
    "last_build": ("has_all_rules", "has_all_versions"),
}


def upgrade() -> None:
    for table, (former, columns, comment) in TABLES.items():
        if _exists(f"intermediate.{former}"):
            op.execute(f"alter table intermediate.{former} set schema ops")
            if former != table:
                op.execute(f"alter table ops.{former} rename to {table}")
            if table in RENAMED:
                before, now = RENAMED[table]
                op.execute(f"alter table ops.{table} rename column {before} to {now}")
        else:
            op.execute(f"create table ops.{table} ({columns})")
        op.execute(f"comment on table ops.{table} is '{comment}'")


def downgrade() -> None:
    op.execute("create schema if not exists intermediate")
    for table, (former, _, _) in TABLES.items():
        if table in RENAMED:
            before, now = RENAMED[table]
            op.execute(f"alter table ops.{table} rename column {now} to {before}")
        if former != table:
            op.execute(f"alter table ops.{table} rename to {former}")
        op.execute(f"alter table ops.{former} set schema intermediate")


def _exists(table: str) -> bool:
    return bool(op.get_bind().exec_driver_sql(f"select to_regclass('{table}') is not null").scalar())
