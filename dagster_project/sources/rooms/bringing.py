"""Brings events into a schema `rooms` that may hold a part of them: what was brought before changes nothing."""

from collections import defaultdict
from collections.abc import Callable, Sequence

import psycopg

from dagster_project.sources.rooms import writing
from dagster_project.sources.rooms.events import apply, references, subject
from dagster_project.sources.rooms.ledger import ImpossibleChange, Key, Ledger
from dagster_project.sources.rooms.steps import Event


def bring(conn: psycopg.Connection, events: Sequence[Event], refused: Callable[[int, ImpossibleChange], None]) -> int:
    """Do to the tables what the events say, in the caller's transaction, each with the time at which it happened.

    Args:
        conn: of an owner of the schema. While rows that are there change, others who write to their tables wait.
        events: those of one row in the order of time.
        refused: what to do with an event that cannot be, by its place.

    Returns:
        how many were new.
    """
    ledger, new = Ledger(), 0
    _remember(conn, ledger, events)
    for place, event in enumerate(events):
        try:
            new += apply(ledger, event)
        except ImpossibleChange as fault:
            refused(place, fault)
    writing.write(conn, ledger)
    if new:
        writing.erase_again(conn, ledger)
    return new


def _remember(conn: psycopg.Connection, ledger: Ledger, events: Sequence[Event]) -> None:
    """Take all rows that the events may touch or name."""
    wanted = defaultdict[str, set[Key]](set)
    for event in events:
        for table, key in (subject(event), *references(event)):
            wanted[table].add(key)
    for table, keys in wanted.items():
        writing.remember(conn, ledger, table, keys)
    purged = [event.fields["id"] for event in events if event.kind == "message_purged"]
    for table in ("chat_file_attachments", "robot_interactions"):
        writing.remember(conn, ledger, table, writing.keys_beside(conn, table, purged))
