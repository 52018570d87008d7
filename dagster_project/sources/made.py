"""How far the sandbox has filled a source's own schema: the schema's comment says so."""

import re
from collections.abc import Callable
from datetime import datetime

import psycopg
from psycopg import sql

_SAYS = "Made by the sandbox up to {at}: nothing of it ever happened"
_SAID = re.compile(re.escape(_SAYS).replace(r"\{at\}", r"(\S+)"))


def keep_up(conn: psycopg.Connection, schema: str, until: datetime, fill: Callable[[datetime | None], int]) -> int:
    """Fill an empty schema; bring to one that was filled before what has happened since.

    One that holds organizations that the sandbox did not make is left alone.

    Args:
        conn: of an owner of the schema, in no transaction: this is one of its own.
        fill: writes what happened from an instant on (None: from the beginning) up to `until`; returns how much.

    Returns:
        what `fill` did; 0 also where nothing was to be done.
    """
    with conn.transaction():
        if _is_done(made_until(conn, schema), until):  # mostly: nobody waits for another who finds the same
            return 0
        conn.execute("select pg_advisory_xact_lock(hashtext(%s))", [f"filling {schema}"])
        at = made_until(conn, schema)
        anybody = sql.SQL("select exists (select from {})").format(sql.Identifier(schema, "organizations"))
        if _is_done(at, until) or (at is None and conn.execute(anybody).fetchone() == (True,)):
            return 0
        new = fill(at)
        note_made(conn, schema, until)
        conn.execute(sql.SQL("select {}.keep_partitions()").format(sql.Identifier(schema)))
    return new


def made_until(conn: psycopg.Connection, schema: str) -> datetime | None:
    """Up to when the sandbox has filled a schema; None where it did not."""
    row = conn.execute("select obj_description(%s::regnamespace)", [schema]).fetchone()
    said = _SAID.fullmatch(row[0]) if row and row[0] else None
    return datetime.fromisoformat(said[1]) if said else None


def note_made(conn: psycopg.Connection, schema: str, until: datetime) -> None:
    """Note in the schema's comment up to when it is filled."""
    says = sql.Literal(_SAYS.format(at=until.isoformat()))
    conn.execute(sql.SQL("comment on schema {} is {}").format(sql.Identifier(schema), says))


def _is_done(at: datetime | None, until: datetime) -> bool:
    return at is not None and at >= until
