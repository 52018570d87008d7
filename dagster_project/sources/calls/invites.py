"""Invitations that expired and that nobody accepted: deleted, a batch at a time."""

from collections.abc import Iterator

import psycopg

BATCH = 1_000
# By an array, not by a join: however many the planner takes the batch for, it looks each of them up by its key.
CLEAN_UP = """
    delete from calls.invites where id = any(array(
        select id from calls.invites where accepted_at is null and expires_at < %(at)s
        order by expires_at limit %(batch)s for update skip locked
    ))
"""


def clean_up(conn: psycopg.Connection, batch: int = BATCH) -> Iterator[int]:
    """Delete what has expired by now, unless it was accepted; yields how many, after each batch.

    Args:
        conn: in autocommit, of somebody who may delete invitations. A row that somebody else changes is left alone.
    """
    row = conn.execute("select now()").fetchone()
    assert row
    while deleted := conn.execute(CLEAN_UP, {"at": row[0], "batch": batch}).rowcount:
        yield deleted
