"""Calls are read from their own Postgres: all of it lands, also what is late, and a killed reader costs no row."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from dagster_project.sources.calls import schema
from dagster_project.sources.calls.entities import CALLS, ENTITIES
from dagster_project.sources.calls.sandbox.fill import keep_up
from dagster_project.sources.calls.sandbox.firm import Firm
from tests.support.reading import assert_equal, held, kill_at, landed, read

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
    assert_equal(conn, calls, ENTITIES)
    assert sum(counts[0] for counts in brought.values()) == rows - before, "none is read a second time"
    assert read(database_url, source, CALLS, TODAY) == {}


def test_what_comes_later_lands_late_pageviews_too_and_no_token_of_an_invitation(
    conn: psycopg.Connection, calls: psycopg.Connection, source: str, database_url: str
) -> None:
    read(database_url, source, CALLS, TODAY)
    with psycopg.connect(source) as filling:
        keep_up(filling, FIRM, UNTIL + timedelta(days=3))
    brought = read(database_url, source, CALLS, TODAY)
    assert_equal(conn, calls, ENTITIES)
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
    assert_equal(conn, calls, ENTITIES)


def test_what_is_deleted_or_has_another_key_is_found_by_night_and_a_month_that_is_archived_is_not(
    conn: psycopg.Connection, calls: psycopg.Connection, source: str, database_url: str
) -> None:
    read(database_url, source, CALLS, TODAY)
    [moved, earlier, deleted] = calls.execute(
        "select id from calls.agent_sessions where ended_at is not null order by started_at limit 3"
    ).fetchall()
    move = "update calls.agent_sessions set started_at = {} where id = %s"
    with calls.transaction():
        calls.execute("select calls.keep_month('calls.agent_sessions', '2026-02-01')")
        calls.execute("select calls.keep_month('calls.widget_pageviews', '2026-04-01')")
        calls.execute(move.format("started_at - interval '7 minutes'"), moved)  # type: ignore[arg-type]
        calls.execute(move.format("'2026-02-27 12:00Z'"), earlier)  # type: ignore[arg-type]
        calls.execute("delete from calls.agent_sessions where id = %s", deleted)
        calls.execute("delete from calls.funnel_events where id in (select id from calls.funnel_events limit 1)")
        calls.execute(
            "insert into calls.widget_pageviews (organization_id, created_at) select id, '2026-04-02 00:00Z' "
            "from calls.organizations limit 1"
        )
    brought = read(database_url, source, CALLS, TODAY)
    assert brought["agent_sessions"][:2] == (2, 0) and brought["widget_pageviews"][0] == 1
    calls.execute("alter table calls.widget_pageviews detach partition calls.widget_pageviews_2026_03")
    found = read(database_url, source, CALLS, TODAY, scope="sweep")
    assert {name: counts[3] for name, counts in found.items()} == {"agent_sessions": 1, "funnel_events": 1}
    calls.execute(
        "alter table calls.widget_pageviews attach partition calls.widget_pageviews_2026_03 "
        "for values from ('2026-03-01 00:00Z') to ('2026-04-01 00:00Z')"
    )
    assert_equal(conn, calls, ENTITIES)
    told = conn.execute(
        "select payload ->> 'id', deletion_reason, load_id > first_load_id from raw.calls_agent_sessions "
        "where deleted_at is not null order by 2, 1"
    ).fetchall()
    assert told == [
        (str(*deleted), "not at the source any more", True),  # a load of its own: what is made of it is made anew
        *((one, "superseded: the row has another key now", False) for one in sorted((str(*moved), str(*earlier)))),
    ]
    assert read(database_url, source, CALLS, TODAY, scope="sweep") == {}, "what is equal is not read again"


def test_most_of_a_table_is_not_believed_to_be_gone_and_what_comes_back_is_there_again(
    conn: psycopg.Connection, calls: psycopg.Connection, source: str, database_url: str
) -> None:
    read(database_url, source, CALLS, TODAY)
    snapshots = CALLS.entity("mrr_snapshots")
    calls.execute("create table calls.kept as select * from calls.mrr_snapshots; delete from calls.mrr_snapshots")
    assert read(database_url, source, CALLS, TODAY, scope="sweep")["mrr_snapshots"][3] == 0 and landed(conn, snapshots)
    read(database_url, source, CALLS, TODAY, scope="sweep", confirm_deletions=True)
    assert not landed(conn, snapshots)
    calls.execute("alter table calls.mrr_snapshots disable trigger user")  # as they were, by no new transaction
    calls.execute("insert into calls.mrr_snapshots select * from calls.kept; drop table calls.kept")
    calls.execute("alter table calls.mrr_snapshots enable trigger user")
    read(database_url, source, CALLS, TODAY, scope="sweep")
    assert_equal(conn, calls, ENTITIES)
