"""Writes how a made-up firm's rows are at an instant: its whole history by COPY, later what is new or has changed."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql

from dagster_project.sources import made
from dagster_project.sources.calls.sandbox.firm import Firm
from dagster_project.sources.calls.sandbox.generator import LONGEST_LIFE_DAYS, lives
from dagster_project.sources.calls.sandbox.life import COLUMNS, MONTH, Row

SCHEMA = "calls"


def keep_up(conn: psycopg.Connection, firm: Firm, until: datetime) -> int:
    """Bring the schema up to an instant; returns how many rows were written (see `sources/made.py`)."""
    return made.keep_up(conn, SCHEMA, until, lambda at: sum(fill(conn, firm, until, at).values()))


def fill(conn: psycopg.Connection, firm: Firm, until: datetime, since: datetime | None = None) -> dict[str, int]:
    """Write what happened at the firm up to an instant, in the caller's transaction.

    Args:
        conn: of an owner of the schema, which holds nothing of another firm.
        since: up to when it holds the rows of this one; None: it holds none.

    Returns:
        the rows written or changed, by table.
    """
    found = rows(firm, until, max(0, firm.day_of(since) - LONGEST_LIFE_DAYS) if since else 0)
    _keep_months(conn, found)
    write = _change if since else _copy
    return {table: write(conn, table, found[table]) for table in COLUMNS if found[table]}


def rows(firm: Firm, until: datetime, first: int = 0) -> Mapping[str, list[Row]]:
    """The rows of the days from the `first` on, as they are at an instant, by table."""
    found = defaultdict[str, list[Row]](list)
    for life in lives(firm, range(first, min(firm.day_of(until) + 1, firm.days))):
        if row := life.as_of(until):
            found[life.table].append(row)
    return found


def _keep_months(conn: psycopg.Connection, found: Mapping[str, list[Row]]) -> None:
    instants = [row[month] for table, month in MONTH.items() for row in found[table]]
    if instants:
        days = [instant.astimezone(UTC).date() for instant in (min(instants), max(instants))]
        conn.execute("select calls.keep_months(%s, %s)", days)


def _copy(conn: psycopg.Connection, table: str, found: list[Row], to: sql.Identifier | None = None) -> int:
    columns = list(found[0])
    statement = sql.SQL("copy {} ({}) from stdin").format(to or sql.Identifier(SCHEMA, table), _list(columns))
    with conn.cursor() as cursor, cursor.copy(statement) as copy:
        for row in found:
            copy.write_row([_plain(value) for value in row.values()])
    return len(found)


def _change(conn: psycopg.Connection, table: str, found: list[Row]) -> int:
    """Write the rows that are not there as they are."""
    own = sql.Identifier(SCHEMA, table)
    key = ["id", MONTH[table]] if table in MONTH else ["id"]
    columns = [name for name in found[0] if name != "updated_at"]  # which the trigger sets
    conn.execute(sql.SQL("create temporary table arrived (like {} including defaults) on commit drop").format(own))
    _copy(conn, table, found, sql.Identifier("arrived"))
    changed = conn.execute(
        sql.SQL(
            "insert into {own} as kept ({columns}) select {columns} from arrived on conflict ({key}) do update "
            "set ({columns}) = row ({excluded}) where ({kept}) is distinct from ({excluded})"
        ).format(
            own=own,
            columns=_list(columns),
            key=_list(key),
            excluded=_list(columns, "excluded"),
            kept=_list(columns, "kept"),
        )
    ).rowcount
    conn.execute("drop table arrived")
    return changed


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, Mapping) else value


def _list(columns: Iterable[str], of: str | None = None) -> sql.Composed:
    names = (sql.Identifier(of, column) if of else sql.Identifier(column) for column in columns)
    return sql.SQL(", ").join(names)
