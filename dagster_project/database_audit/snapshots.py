"""A day's counters and sizes, kept so that the audit judges differences: nobody knows since when a counter counts."""

import time
from datetime import date, datetime

import psycopg

from dagster_project.database_audit import checks

_HEADER = """
    insert into ops.database_snapshots (
        taken_on, taken_at, system_identifier, stats_reset_at, block_read_count, block_hit_count
    )
    select %s, %s, %s, stats_reset, blks_read, blks_hit
    from pg_stat_database
    where datname = current_database()
    on conflict do nothing
    returning taken_on
"""
_STATEMENTS = """
    insert into ops.database_statement_snapshots
        (taken_on, user_name, query_id, is_toplevel, is_own, statement, call_count, row_count, total_seconds)
    select
        %s, user_name, query_id, is_toplevel, user_name = current_user, statement, call_count, row_count, total_seconds
    from audited_statements
"""
_SAMPLED = """
    insert into audit_sample
    select later.user_name, later.statement, later.call_count - earlier.call_count,
        later.row_count - earlier.row_count, %s
    from audited_statements as later
    inner join audit_earlier as earlier using (user_name, query_id, is_toplevel)
    where later.call_count > earlier.call_count
    union all
    select later.user_name, later.statement, later.call_count, later.row_count, %s
    from audited_statements as later
    where not exists (
        select from audit_earlier as earlier
        where (earlier.user_name, earlier.query_id, earlier.is_toplevel)
            = (later.user_name, later.query_id, later.is_toplevel)
    )
"""


def take(conn: psycopg.Connection, today: date, at: datetime) -> bool:
    """Keep today's snapshot, within the audit's transaction; whether there was none yet."""
    row = conn.execute(_HEADER, [today, at, _system_identifier(conn)]).fetchone()
    if row is None:
        return False
    conn.execute(checks.read("snapshot"), prepare=False)
    if has_statements(conn):
        conn.execute(
            "update ops.database_snapshots set (statements_reset_at, statement_eviction_count) = "
            "(select stats_reset, dealloc from pg_stat_statements_info) where taken_on = %s",
            [today],
        )
        conn.execute(checks.read("statements"), prepare=False)
        conn.execute(_STATEMENTS, [today])
        conn.execute("drop table audited_statements")
    return True


def sample(conn: psycopg.Connection, seconds: float) -> None:
    """Watch the statements that are called in so many seconds, into the temporary table `audit_sample`.

    Args:
        conn: in autocommit: a snapshot of the counters would not change within a transaction.
    """
    conn.execute(
        "create temporary table audit_sample (user_name text, statement text, call_count bigint, row_count bigint, "
        "elapsed_seconds double precision)"
    )
    if not seconds or not has_statements(conn):
        return
    began = time.monotonic()
    with conn.transaction():
        conn.execute(checks.read("statements"), prepare=False)
        conn.execute("create temporary table audit_earlier as table audited_statements")
    time.sleep(seconds)
    with conn.transaction():
        conn.execute(checks.read("statements"), prepare=False)
        elapsed = time.monotonic() - began
        conn.execute(_SAMPLED, [elapsed, elapsed])
        conn.execute("drop table audit_earlier")


def has_statements(conn: psycopg.Connection) -> bool:
    """Whether Postgres counts statements, and we may look."""
    needed = next(need for check in checks.CHECKS if check.rule == "D10" for need in check.needs)
    return conn.execute(f"select {needed.is_met}").fetchone() == (True,)


def _system_identifier(conn: psycopg.Connection) -> str | None:
    """Which cluster this is: a restored copy of it elsewhere is another one, whose counters began anew."""
    try:
        with conn.transaction():
            row = conn.execute("select system_identifier::text from pg_control_system()").fetchone()
    except psycopg.errors.InsufficientPrivilege:
        return None
    return row[0] if row else None
