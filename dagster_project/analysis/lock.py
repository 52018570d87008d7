"""One at a time: who asks Claude holds a lock in Postgres, which falls open when its process ends, however it ends."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

_LOCK = 0x62326169  # "b2ai"
PAUSE = 2.0  # seconds between two tries


class Busy(Exception):
    """Another run is at it, and has been for long."""


@contextmanager
def alone(conn: psycopg.Connection, *, patience: float = 900) -> Iterator[None]:
    """Hold the lock while this lasts.

    Args:
        patience: seconds to wait for another run.

    Raises:
        Busy: the other run takes longer.
    """
    waited = 0.0
    while not _try(conn):
        if waited >= patience:
            raise Busy(f"another run has been asking Claude for {waited / 60:.0f} minutes: run this one again later")
        time.sleep(PAUSE)
        waited += PAUSE
    try:
        yield
    finally:
        conn.execute("select pg_advisory_unlock(%s)", [_LOCK])


def _try(conn: psycopg.Connection) -> bool:
    row = conn.execute("select pg_try_advisory_lock(%s)", [_LOCK]).fetchone()
    return bool(row and row[0])
