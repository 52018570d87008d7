"""Locks by name, which tell who is at work from who was killed: Postgres frees one when the session that holds it ends.

A name is a kind of work and the id of a piece of it. Locks of the same session do not shut each other out.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg

_KEY = "hashtextextended('b2chat ' || %s || ' ' || %s, 0)"


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
    conn.execute(f"select pg_advisory_lock({_KEY})", [kind, of])


def try_take(conn: psycopg.Connection, kind: str, of: str) -> bool:
    """Like `take`, but waits for nobody; whether it was free."""
    return conn.execute(f"select pg_try_advisory_lock({_KEY})", [kind, of]).fetchone() == (True,)


def release(conn: psycopg.Connection, kind: str, of: str) -> None:
    """Let a lock go."""
    conn.execute(f"select pg_advisory_unlock({_KEY})", [kind, of])


def free(conn: psycopg.Connection, kind: str, ids: Sequence[str]) -> list[str]:
    """Those of some ids whose lock nobody else holds; nobody takes one before the caller's transaction ends."""
    rows = conn.execute(
        "select one.id from unnest(%s::text[]) as one (id) "
        "where pg_try_advisory_xact_lock(hashtextextended('b2chat ' || %s || ' ' || one.id, 0))",
        [list(ids), kind])  # fmt: skip
    return [row[0] for row in rows]
