"""One at a time: who asks Claude holds a lock in Postgres, which falls open when its process ends, however it ends."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from dagster_project.warehouse import locks
from dagster_project.warehouse.locks import WAITING_LOGGER

log = logging.getLogger(WAITING_LOGGER)

_NAME = ("ask", "claude")
PAUSE = 2.0  # seconds between two tries


class Busy(Exception):
    """Another run is at it, and has been for long."""


@contextmanager
def alone(conn: psycopg.Connection, *, timeout: float = 900) -> Iterator[None]:
    """Hold the lock while this lasts.

    Args:
        timeout: seconds to wait for another run.

    Raises:
        Busy: the other run takes longer.
    """
    waited = 0.0
    while not locks.try_take(conn, *_NAME):
        if waited >= timeout:
            raise Busy(f"another run has been asking Claude for {waited / 60:.0f} minutes: run this one again later")
        if not waited and (holder := locks.holder(conn, *_NAME)):
            log.warning("waiting for another run that asks Claude, since %s UTC", f"{holder[1]:%F %T}")
        time.sleep(PAUSE)
        waited += PAUSE
    try:
        yield
    finally:
        locks.release(conn, *_NAME)
