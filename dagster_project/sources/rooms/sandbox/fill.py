"""Fills the schema `rooms` with a made-up firm's life: the past by COPY, as if it had been written while it happened,
and the days after it through the functions of the schema.
"""

import logging
from collections.abc import Sequence
from datetime import datetime

import psycopg

from dagster_project.sources import made
from dagster_project.sources.rooms import writing
from dagster_project.sources.rooms.events import apply
from dagster_project.sources.rooms.ledger import Ledger
from dagster_project.sources.rooms.sandbox.firm import Firm
from dagster_project.sources.rooms.sandbox.generator import RoomsSandbox
from dagster_project.sources.rooms.sandbox.live import LivePlayer
from dagster_project.sources.rooms.steps import Event
from dagster_project.sources.rooms.tables import SCHEMA

log = logging.getLogger(__name__)


def keep_up(conn: psycopg.Connection, firm: Firm, until: datetime) -> int:
    """Bring the schema up to an instant; returns how many events were new (see `sources/made.py`)."""

    def go_on(at: datetime | None) -> int:
        if at is None:
            events = RoomsSandbox(firm).events(until)
            writing.write(conn, _folded(events))
            return len(events)
        return play(conn, RoomsSandbox(firm).events(until, after=at))

    return made.keep_up(conn, SCHEMA, until, go_on)


def play(conn: psycopg.Connection, events: Sequence[Event]) -> int:
    """Play events through the functions of the schema, in the caller's transaction; returns how many.

    What the functions refuse is left out, and counted in the log.
    """
    if not events:
        return 0
    writing.keep_months(conn, [events[0].at, events[-1].at])
    player = LivePlayer(conn)
    for event in events:
        player.play(event)
    if player.refused:
        kinds = ", ".join(f"{kind} {count}" for kind, count in player.refused.most_common())
        log.warning("rooms: %d of %d events were refused and left out: %s", player.refused.total(), len(events), kinds)
    return player.played.total()


def fill(conn: psycopg.Connection, firm: Firm, until: datetime) -> dict[str, int]:
    """Write all that happened at the firm up to an instant, by COPY, in the caller's transaction.

    Args:
        conn: of an owner of the schema, which holds nothing of this firm.

    Returns:
        the rows written, by table and history table.
    """
    return writing.write(conn, history(firm, until))


def history(firm: Firm, until: datetime) -> Ledger:
    """What the tables and their history hold at an instant."""
    return _folded(RoomsSandbox(firm).events(until))


def _folded(events: Sequence[Event]) -> Ledger:
    ledger = Ledger()
    for event in events:
        apply(ledger, event)
    return ledger
