"""One writer at a time: load ids then commit in order, and whoever reads up to one of them misses nothing."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg

from dagster_project.ingestion.error_log import note_refused
from dagster_project.ingestion.errors import AlreadyRunning
from dagster_project.warehouse.connection import connect

# The two numbers of the advisory lock that stands for "writes to raw". Any pair will do, if it stays the same.
_LOCK = (0xB2C4A7, 1)
# How long to wait for it: a process that was killed a moment ago may still be held for alive.
_PATIENCE = "2s"


@contextmanager
def writer(url: str, purpose: str) -> Iterator[psycopg.Connection]:
    """The connection of the only writer, in autocommit; Postgres frees its lock when the process dies.

    Args:
        purpose: shown to whoever comes second, and in pg_stat_activity.

    Raises:
        AlreadyRunning: another connection holds the lock; that is written down in ops.error_logs.
    """
    with connect(url, autocommit=True) as conn:
        conn.execute("select set_config('application_name', %s, false)", (f"b2chat {purpose}",))
        _lock(conn, purpose)
        try:
            yield conn
        finally:
            # Postgres sees a closed connection a little later; the next sync may begin before that.
            with suppress(psycopg.Error):
                conn.execute("select pg_advisory_unlock(%s, %s)", _LOCK)


def _lock(conn: psycopg.Connection, purpose: str) -> None:
    try:
        with conn.transaction():
            conn.execute("select set_config('lock_timeout', %s, true)", (_PATIENCE,))
            conn.execute("select pg_advisory_lock(%s, %s)", _LOCK)
    except psycopg.errors.LockNotAvailable:
        refused = _already_running(conn)
        note_refused(conn, purpose, refused)
        raise refused from None


def _already_running(conn: psycopg.Connection) -> AlreadyRunning:
    holder = conn.execute(
        """
        select a.application_name, a.backend_start
        from pg_locks l
        join pg_stat_activity a using (pid)
        where l.locktype = 'advisory' and l.granted and l.classid = %s and l.objid = %s
          and l.database = (select oid from pg_database where datname = current_database())
        """,
        _LOCK,
    ).fetchone()
    return AlreadyRunning(*holder) if holder else AlreadyRunning("one that has just ended", None)
