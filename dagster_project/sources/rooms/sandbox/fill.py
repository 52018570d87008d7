"""Fills the schema `rooms` with a made-up firm's history, as if it had been written while it happened."""

import logging
from collections import Counter
from datetime import datetime

import psycopg

from dagster_project.sources import made
from dagster_project.sources.rooms import writing
from dagster_project.sources.rooms.bringing import bring
from dagster_project.sources.rooms.events import apply
from dagster_project.sources.rooms.ledger import Ledger
from dagster_project.sources.rooms.sandbox.firm import Firm
from dagster_project.sources.rooms.sandbox.generator import RoomsSandbox
from dagster_project.sources.rooms.tables import SCHEMA

log = logging.getLogger(__name__)


def keep_up(conn: psycopg.Connection, firm: Firm, until: datetime) -> int:
    """Bring the schema up to an instant; returns how many events were new (see `sources/made.py`).

    What was played through the functions has ids of its own: what follows of it is for the player that began it. It is
    left out here, and counted in the log.
    """

    def fill_since(at: datetime | None) -> int:
        events = RoomsSandbox(firm).events(until, after=at) if at else RoomsSandbox(firm).events(until)
        left_out = Counter[str]()
        new = bring(conn, events, refused=lambda place, fault: left_out.update([events[place].kind]))
        if left_out:
            kinds = ", ".join(f"{kind} {count}" for kind, count in left_out.most_common())
            log.warning(
                "rooms: %d of %d events follow what was played live and were left out: %s",
                left_out.total(),
                len(events),
                kinds,
            )
        return new

    return made.keep_up(conn, SCHEMA, until, fill_since)


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
    ledger = Ledger()
    for event in RoomsSandbox(firm).events(until):
        apply(ledger, event)
    return ledger
