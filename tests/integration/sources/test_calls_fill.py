"""The made-up firm's calls in the schema `calls`: at once or in steps, the same rows; twice, nothing more."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg import sql

from dagster_project.sources.calls import schema
from dagster_project.sources.calls.sandbox.fill import keep_up, rows
from dagster_project.sources.calls.sandbox.firm import Firm
from dagster_project.sources.calls.sandbox.life import COLUMNS

FIRM = Firm(first_day=date(2026, 3, 2), days=100, visits_per_day=40)
UNTIL = datetime(2026, 3, 12, 17, tzinfo=UTC)


@pytest.fixture(scope="module")
def url(new_database: Callable[[], str]) -> str:
    url = new_database()
    schema.upgrade(url)
    with psycopg.connect(url) as conn:
        for before in (timedelta(days=11), timedelta(days=6.4), timedelta(hours=30), timedelta(hours=29), timedelta(0)):
            assert keep_up(conn, FIRM, UNTIL - before) > 0
    return url


def rows_of(conn: psycopg.Connection, table: str) -> list[tuple[Any, ...]]:
    names = sql.SQL(", ").join(map(sql.Identifier, ["id", *COLUMNS[table], "created_at"]))
    found = conn.execute(sql.SQL("select {} from calls.{}").format(names, sql.Identifier(table))).fetchall()
    kept = (bool, int, Decimal, dict, datetime, type(None))
    return sorted((tuple(one if isinstance(one, kept) else str(one) for one in row) for row in found), key=repr)


def test_what_came_in_steps_is_what_comes_at_once_and_comes_once(url: str) -> None:
    at_once = rows(FIRM, UNTIL)
    with psycopg.connect(url) as conn:
        for table, columns in COLUMNS.items():
            expected = [tuple(row[name] for name in ["id", *columns, "created_at"]) for row in at_once[table]]
            assert rows_of(conn, table) == sorted(expected, key=repr), table
        assert keep_up(conn, FIRM, UNTIL) == 0


def test_calls_that_the_sandbox_did_not_make_are_left_alone(new_database: Callable[[], str]) -> None:
    url = new_database()
    schema.upgrade(url)
    with psycopg.connect(url) as conn:
        conn.execute("insert into calls.organizations (name) values ('Somebody''s own')")
        conn.commit()
        assert keep_up(conn, FIRM, UNTIL) == 0
