"""The role that BI tools log in with. dbt, which owns the marts, grants what it may read (macros/bi_access.sql)."""

from alembic import op

revision = "0004"
down_revision = "0003"

# The role belongs to the server, not to the database: another warehouse there may have made it, at this very moment
# too, and a user who may not create roles goes on without (`b2chat check` says what to ask for).
MAKE = """
    do $$ begin
        if not exists (select from pg_roles where rolname = 'bi_reader') then
            create role bi_reader login connection limit 20;
        end if;
    exception
        when duplicate_object or unique_violation then null;
        when insufficient_privilege then
            raise warning 'bi_reader was not made: this user may not create roles';
    end $$
"""
LIMITS = {
    "default_transaction_read_only": "on",
    "statement_timeout": "5min",
    "idle_in_transaction_session_timeout": "1min",
    "lock_timeout": "30s",
    "search_path": "marts",
}


def upgrade() -> None:
    op.execute(MAKE)
    for name, value in LIMITS.items():
        _where_allowed(f"alter role bi_reader set {name} = '{value}'")
    _where_allowed("execute format('grant connect on database %I to bi_reader', current_database())")
    # A refresh ends the idle transactions of bi_reader that stand in its way, which takes membership.
    _where_allowed("if not pg_has_role('bi_reader', 'usage') then grant bi_reader to current_user; end if")


def downgrade() -> None:
    _where_allowed("drop owned by bi_reader")
    _where_allowed("drop role bi_reader")


def _where_allowed(statement: str) -> None:
    op.execute(f"""
        do $$ begin
            if exists (select from pg_roles where rolname = 'bi_reader') then
                {statement};
            end if;
        exception when insufficient_privilege or dependent_objects_still_exist then null;
        end $$
    """)
