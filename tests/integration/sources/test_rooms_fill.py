"""The made-up firm's history in the schema `rooms`: by COPY, with the times at which things happened."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest
from psycopg import sql

from dagster_project.sources.rooms import schema
from dagster_project.sources.rooms.ledger import Ledger
from dagster_project.sources.rooms.sandbox.fill import fill, history
from dagster_project.sources.rooms.sandbox.firm import Firm
from dagster_project.sources.rooms.tables import TABLES

FIRM = Firm(first_day=date(2026, 3, 2), days=100, rooms_per_day=6)
UNTIL = datetime(2026, 3, 12, 17, tzinfo=UTC)


@pytest.fixture(scope="module")
def conn(new_database: Callable[[], str]) -> Iterator[psycopg.Connection]:
    url = new_database()
    schema.upgrade(url)
    with psycopg.connect(url) as conn:
        fill(conn, FIRM, UNTIL)
        yield conn


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return history(FIRM, UNTIL)


def rows_of(conn: psycopg.Connection, table: str, columns: list[str]) -> list[tuple[Any, ...]]:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    found = conn.execute(sql.SQL("select {} from rooms.{}").format(names, sql.Identifier(table))).fetchall()
    kept = (bool, int, dict, list, datetime, type(None))
    return [tuple(value if isinstance(value, kept) else str(value) for value in row) for row in found]


def in_order(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=repr)


def test_the_tables_are_those_of_the_schema_with_its_columns_types_and_defaults(conn: psycopg.Connection) -> None:
    found: dict[str, dict[str, tuple[Any, bool]]] = {}
    for table, column, kind, labels, nullable in conn.execute(
        """
        select pg_class.relname, attname, format_type(atttypid, null),
            (select array_agg(enumlabel::text order by enumsortorder) from pg_enum where enumtypid = atttypid),
            not attnotnull
        from pg_class inner join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
        where relnamespace = 'rooms'::regnamespace and relkind in ('r', 'p') and not relispartition
        """
    ):
        short = {"bigint": "integer", "timestamp with time zone": "timestamptz"}.get(kind, kind)
        found.setdefault(table, {})[column] = (tuple(labels) if labels else short, nullable)
    for name, table in TABLES.items():
        wanted = {column: (spec.type, spec.is_nullable) for column, spec in table.columns.items()}
        # A read of an erased user stays in the log; one that is written names its user and room.
        lax = {"data_access_log": {"user_id", "room_id"}}.get(name, set())
        assert {
            column: (kind, nullable and column not in lax)
            for column, (kind, nullable) in found[name].items()
            if column != "row_xid"
        } == wanted
        assert (table.history in found) == table.keeps_history
        if table.keeps_history:
            assert set(table.history_columns) == set(found[table.history]) & set(table.columns)


@pytest.mark.parametrize("table", TABLES)
def test_rows_and_history_are_those_of_the_books_with_their_own_times(
    conn: psycopg.Connection, ledger: Ledger, table: str
) -> None:
    spec = TABLES[table]
    columns = list(spec.columns)
    expected = [tuple(row[column] for column in columns) for row in ledger.rows[table].values()]
    assert in_order(rows_of(conn, table, columns)) == in_order(expected)
    if spec.keeps_history:
        columns = ["history_id", "changed_at", "operation_type", "changed_by", "changed_columns", *spec.history_columns]
        expected = [tuple(row[column] for column in columns) for row in ledger.history[table]]
        assert in_order(rows_of(conn, spec.history, columns)) == in_order(expected)


def test_no_image_of_a_message_begins_before_the_one_before_it_ended(conn: psycopg.Connection) -> None:
    gaps = conn.execute(
        """
        select count(*), count(*) filter (where ends <> begins_next)
        from (
            select changed_at as ends, lead(updated_at, 1, (
                select updated_at from rooms.messages where messages.id = messages_history.id
            )) over (partition by id order by changed_at) as begins_next
            from rooms.messages_history where operation_type = 'UPDATE'
        ) as images
        """
    ).fetchone()
    assert gaps and gaps[0] > 100 and gaps[1] == 0
