"""Brings the history of another system into the schema `rooms`: a file of events, a JSON object a line.

A file may be read again, whole or longer than before: what was brought before changes nothing. Batches commit one by
one, so an import that was killed, or met a line that cannot be, is simply run again.
"""

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

import psycopg

from dagster_project.sources.rooms.bringing import bring
from dagster_project.sources.rooms.event_lines import BadLine, events_of
from dagster_project.sources.rooms.steps import Event

BATCH = 5_000
_MAX_TOLD = 20
_COLUMN = re.compile(r"COPY (\w+), line \d+(?:, column (\w+))?")


class ImportRefused(Exception):
    """Lines of the file that cannot be brought; the text has the first of them, a line each."""


@dataclass(frozen=True)
class Imported:
    """What an import did: events read, and how many of them were new."""

    events: int
    new: int


def import_file(
    conn: psycopg.Connection, path: Path, now: datetime, done: Callable[[int], None] = lambda events: None
) -> Imported:
    """Bring the events of a file, in batches that are committed one by one.

    Args:
        conn: of an owner of the schema.
        now: an event of more than a day after it is refused.
        done: is told after each batch how many events were read.

    Raises:
        ImportRefused: lines are no events, and nothing was written; or some cannot be, and what was written are the
            batches before theirs.
        OSError: the file cannot be read.
    """
    _require_sound(path, now)
    read = new = 0
    events = ((number, event) for number, event in events_of(path, now) if isinstance(event, Event))
    while batch := list(islice(events, BATCH)):
        new += _bring(conn, batch)
        read += len(batch)
        done(read)
    return Imported(read, new)


def _bring(conn: psycopg.Connection, batch: list[tuple[int, Event]]) -> int:
    faults: list[str] = []
    first, last = batch[0][0], batch[-1][0]
    with _unbroken_keys(first, last), conn.transaction():
        new = bring(
            conn,
            [event for _, event in batch],
            lambda place, fault: faults.append(f"line {batch[place][0]}: {batch[place][1].kind}: {fault}"),
        )
        if faults:
            raise _refusal(faults, f"nothing from line {first} on was written")
    return new


@contextlib.contextmanager
def _unbroken_keys(first: int, last: int) -> Iterator[None]:
    """A rule of the schema that a batch breaks is named without the values that broke it."""
    lines = f"lines {first} to {last}"
    try:
        yield
    except psycopg.IntegrityError as fault:
        broken = f"{lines} break {fault.diag.constraint_name} of rooms.{fault.diag.table_name}"
    except (psycopg.DataError, psycopg.errors.ProgramLimitExceeded) as fault:
        column = _COLUMN.match(fault.diag.context or "")
        place = ".".join(filter(None, column.groups())) if column else "a table"
        broken = f"{lines} have a value too large for rooms.{place}"
    except psycopg.DatabaseError as fault:
        if not (fault.sqlstate or "").startswith("RM"):
            raise
        broken = f"{lines}: {fault.diag.message_primary}"
    else:
        return
    raise ImportRefused(f"{broken}\nnothing from line {first} on was written")


def _require_sound(path: Path, now: datetime) -> None:
    faults = (f"line {number}: {fault}" for number, fault in events_of(path, now) if isinstance(fault, BadLine))
    if told := list(islice(faults, _MAX_TOLD + 1)):
        raise _refusal(told, "nothing was written")


def _refusal(faults: list[str], outcome: str) -> ImportRefused:
    more = ["and more"] if len(faults) > _MAX_TOLD else []
    return ImportRefused("\n".join([*faults[:_MAX_TOLD], *more, outcome]))
