"""Calls are read from their own Postgres: all of it lands, also what is late, and a killed reader costs no row."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from dagster_project.sources.calls import schema
from dagster_project.sources.calls.entities import CALLS, ENTITIES
from dagster_project.sources.calls.sandbox.fill import keep_up
from dagster_project.sources.calls.sandbox.firm import Firm
from tests.support.reading import held, kill_at, landed, read

FIRM = Firm(first_day=date(2026, 3, 2), days=100, visits_per_day=60)
UNTIL = datetime(2026, 3, 9, 17, tzinfo=UTC)
TODAY = date(2026, 3, 9)


@pytest.fixture(scope="module")
def source(new_database: Callable[[], str]) -> str:
    url = new_database()
    schema.upgrade(url)
    with psycopg.connect(url) as conn:
        keep_up(conn, FIRM, UNTIL)
    return url


@pytest.fixture
def calls(source: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(source, autocommit=True) as conn:
        yield conn


@pytest.fixture
def conn(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True) as conn:
        yield conn


def assert_equal(conn: psycopg.Connection, calls: psycopg.Connection) -> None:
    for entity in ENTITIES:
        assert landed(conn, entity) == held(calls, entity), entity.name


def test_a_reader_that_is_killed_at_ten_points_leaves_the_tables_that_one_left_alone_makes(
    conn: psycopg.Connection, calls: psycopg.Connection, source: str, database_url: str
) -> None:
    rows = sum(len(held(calls, entity)) for entity in ENTITIES)
    assert rows > 2_500
    for point in range(10):  # each goes on where the one before it died, and dies in its first, second or third page
        kill_at(1 + point * 53, 150, database_url, source, CALLS, TODAY)
    before = sum(len(landed(conn, entity)) for entity in ENTITIES)
    assert 0 < before < rows
    brought = read(database_url, source, CALLS, TODAY)
    assert_equal(conn, calls)
    assert sum(counts[0] for counts in brought.values()) == rows - before, "none is read a second time"
    assert read(database_url, source, CALLS, TODAY) == {}


def test_what_comes_later_lands_late_pageviews_too_and_no_token_of_an_invitation(
    conn: psycopg.Connection, calls: psycopg.Connection, source: str, database_url: str
) -> None:
    read(database_url, source, CALLS, TODAY)
    with psycopg.connect(source) as filling:
        keep_up(filling, FIRM, UNTIL + timedelta(days=3))
    brought = read(database_url, source, CALLS, TODAY)
    assert_equal(conn, calls)
    assert brought["widget_pageviews"][0] > 100 and brought["call_logs"][0] > 0
    assert brought["agent_sessions"][1] > 0, "sessions that were open have ended"
    late = conn.execute(
        "select count(*) from raw.calls_widget_pageviews where first_load_id > (select min(load_id) from "
        "raw.calls_organizations) and (payload ->> 'created_at')::timestamptz < %s",
        [UNTIL],
    ).fetchone()
    assert late and late[0] > 0
    found = conn.execute("select count(*), count(*) filter (where payload ? 'token') from raw.calls_invites").fetchone()
    assert found and found[0] > 0 and found[1] == 0
    months = conn.execute(
        "select tableoid::regclass::text, min(payload ->> 'created_at') from raw.calls_call_logs group by 1"
    ).fetchall()
    assert [one for one, first in months] == [
        f"raw.calls_call_logs_{first[:7].replace('-', '_')}" for _, first in months
    ]
    ids = conn.execute(
        "select count(*), count(*) filter (where conversation_id = payload ->> 'id') from raw.calls_call_logs"
    ).fetchone()
    assert ids and ids[0] == ids[1]


def test_the_role_of_readers_reads_all_of_it(
    conn: psycopg.Connection, calls: psycopg.Connection, source: str, database_url: str
) -> None:
    separator = "&" if "?" in source else "?"
    read(database_url, f"{source}{separator}options=-crole%3Dcalls_reader", CALLS, TODAY)
    assert_equal(conn, calls)
