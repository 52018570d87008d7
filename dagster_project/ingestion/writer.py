"""One writer at a time: load ids then commit in order, and whoever reads up to one of them misses nothing."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from dagster_project.ingestion.errors import AlreadyRunning
from dagster_project.warehouse.connection import connect

log = logging.getLogger(__name__)

# The two numbers of the advisory lock that stands for "writes to raw". Any pair will do, if it stays the same.
_LOCK = (0xB2C4A7, 1)


@contextmanager
def writer(url: str, purpose: str) -> Iterator[psycopg.Connection]:
    """The connection of the only writer, in autocommit; Postgres frees its lock when the process dies.

    Args:
        purpose: shown to whoever comes second, and in pg_stat_activity.

    Raises:
        AlreadyRunning: another connection holds the lock.
    """
    with connect(url, autocommit=True) as conn:
        conn.execute("select set_config('application_name', %s, false)", (f"b2chat {purpose}",))
        locked = conn.execute("select pg_try_advisory_lock(%s, %s)", _LOCK).fetchone()
        if locked != (True,):
            raise _already_running(conn)
        yield conn


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
