"""One writer at a time: load ids then commit in order, and whoever reads up to one of them misses nothing."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg

from dagster_project.ingestion.errors import AlreadyRunning, StarterRefused
from dagster_project.ingestion.logs.error_log import note_refused
from dagster_project.warehouse import locks, partitions
from dagster_project.warehouse.access import users
from dagster_project.warehouse.connection import connect

_LOCK = ("write", "raw")  # dbt takes it too: macros/engine/calendar_and_target_versions.sql
# How long to wait for it: a process that was killed a moment ago may still be held for alive.
_MAX_WAIT = 2.0  # seconds


@contextmanager
def writer(url: str, purpose: str) -> Iterator[psycopg.Connection]:
    """The connection of the only writer, in autocommit; its lock is free when the process dies.

    Args:
        purpose: shown to whoever comes second, and in pg_stat_activity.

    Raises:
        AlreadyRunning: another connection holds the lock; that is written down in ops.error_logs.
    """
    with connect(url, autocommit=True) as conn:
        conn.execute("select set_config('application_name', %s, false)", (f"b2chat {purpose}",))
        # What is said for each page is planned once: for a table of sixty months that costs more than to run it.
        conn.execute("set plan_cache_mode = force_generic_plan")
        _lock(conn, purpose)
        try:
            partitions.keep_ahead(conn)  # where no job has done it: nothing that is read now may find its month missing
            yield conn
        finally:
            # Postgres sees a closed connection a little later; the next sync may begin before that.
            with suppress(psycopg.Error):
                locks.release(conn, *_LOCK)


def require_starter(conn: psycopg.Connection, user: str, doing: str) -> None:
    """Raises StarterRefused where a user may not start what writes to raw: it takes an Admin, or a program."""
    try:
        users.require(conn, user, doing, role="Admin")
    except users.NotAllowed as error:
        raise StarterRefused(str(error)) from None


def _lock(conn: psycopg.Connection, purpose: str) -> None:
    if not locks.try_take(conn, *_LOCK, seconds=_MAX_WAIT):
        refused = AlreadyRunning(*(locks.holder(conn, *_LOCK) or ("one that has just ended", None)))
        note_refused(conn, purpose, refused)
        raise refused
