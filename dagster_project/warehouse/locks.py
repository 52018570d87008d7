"""Locks by name, which tell who is at work from who was killed: one is free when the session that took it has ended.

A name is a kind of work and the id of a piece of it. They are rows of `ops.locks` (migration 0016), not Postgres'
advisory locks, because those may be taken, and seen, by every role: BI's too. Locks of the same session do not shut
each other out.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import psycopg

_PAUSE = 0.1  # seconds between two tries
# Whoever waits for a lock says so here. It is told on a terminal in any case: silence would look like a hang.
WAITING_LOGGER = "dagster_project.waiting"


@contextmanager
def held(conn: psycopg.Connection, kind: str, of: str) -> Iterator[None]:
    """Hold a lock while this lasts; whoever holds it is waited for. `conn` is in autocommit."""
    take(conn, kind, of)
    try:
        yield
    finally:
        release(conn, kind, of)


def take(conn: psycopg.Connection, kind: str, of: str) -> None:
    """Take a lock and keep it until `release`, or the end of the session; whoever holds it is waited for."""
    while not try_take(conn, kind, of):
        time.sleep(_PAUSE)


def try_take(conn: psycopg.Connection, kind: str, of: str, *, seconds: float = 0) -> bool:
    """Like `take`, but waits for nobody, or so many seconds; whether it was free."""
    deadline = time.monotonic() + seconds
    while conn.execute("select ops.try_lock(%s, %s)", [kind, of]).fetchone() != (True,):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_PAUSE)
    return True


def release(conn: psycopg.Connection, kind: str, of: str) -> None:
    """Let a lock go."""
    conn.execute("select ops.unlock(%s, %s)", [kind, of])


def free(conn: psycopg.Connection, kind: str, ids: Sequence[str]) -> list[str]:
    """Those of some ids whose lock nobody else holds; nobody takes one before the caller's transaction ends."""
    rows = conn.execute("select ops.lock_in_transaction(%s, variadic %s::text[])", [kind, list(ids)]).fetchall()
    return [row[0] for row in rows]


def holder(conn: psycopg.Connection, kind: str, of: str) -> tuple[str, datetime | None] | None:
    """Who holds a lock: the application's name and when its session began; None where nobody does."""
    return conn.execute(
        """
        select sessions.application_name, sessions.backend_start
        from ops.locks
        inner join pg_stat_activity as sessions using (pid)
        where locks.kind = %s and locks.id = %s and ops.session_lives(locks.pid, locks.session_began)
        """,
        [kind, of],
    ).fetchone()
