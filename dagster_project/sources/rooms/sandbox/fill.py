"""Fills the schema `rooms` with a made-up firm's history, as if it had been written while it happened."""

import re
from datetime import datetime

import psycopg
from psycopg import sql

from dagster_project.sources.rooms import writing
from dagster_project.sources.rooms.bringing import bring
from dagster_project.sources.rooms.events import apply
from dagster_project.sources.rooms.ledger import Ledger
from dagster_project.sources.rooms.sandbox.firm import Firm
from dagster_project.sources.rooms.sandbox.generator import RoomsSandbox

_SAYS = "Made by the sandbox up to {at}: nobody ever was in these rooms"
_SAID = re.compile(re.escape(_SAYS).replace(r"\{at\}", r"(\S+)"))
_LOCK = 7237112  # of one filler at a time


def keep_up(conn: psycopg.Connection, firm: Firm, until: datetime) -> int:
    """Fill an empty schema; bring to one that was filled before what has happened at the firm since.

    The schema's comment says how far it is filled. One with rooms that the sandbox did not make is left alone.

    Args:
        conn: of an owner of the schema, in no transaction: this is one of its own.

    Returns:
        how many events were new; 0 also where nothing was to be done.
    """
    with conn.transaction():
        if _is_done(made_until(conn), until):  # mostly: nobody waits for another who finds the same
            return 0
        conn.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
        at = made_until(conn)
        if at is None and conn.execute("select exists (select from rooms.organizations)").fetchone() == (True,):
            return 0
        if _is_done(at, until):
            return 0
        events = RoomsSandbox(firm).events(until, after=at) if at else RoomsSandbox(firm).events(until)
        # What was played through the functions has ids of its own: what follows of it is for the player that began it.
        new = bring(conn, events, refused=lambda place, fault: None)
        note_made(conn, until)
        conn.execute("select rooms.keep_partitions()")
    return new


def note_made(conn: psycopg.Connection, until: datetime) -> None:
    """Note in the schema's comment up to when it is filled."""
    says = sql.Literal(_SAYS.format(at=until.isoformat()))
    conn.execute(sql.SQL("comment on schema rooms is {}").format(says))


def _is_done(at: datetime | None, until: datetime) -> bool:
    return at is not None and at >= until


def made_until(conn: psycopg.Connection) -> datetime | None:
    """Up to when the sandbox has filled the schema; None where it did not."""
    row = conn.execute("select obj_description('rooms'::regnamespace)").fetchone()
    said = _SAID.fullmatch(row[0]) if row and row[0] else None
    return datetime.fromisoformat(said[1]) if said else None


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
