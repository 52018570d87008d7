"""Rooms are read from their own Postgres: nothing is lost and nothing doubled, whatever happens there meanwhile."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from dagster_project.alerts.troubles import look
from dagster_project.ingestion.records.quarantine import retry_quarantine
from dagster_project.ingestion.status import sync_status
from dagster_project.settings import Settings
from dagster_project.sources.contract import SourceSpec
from dagster_project.sources.people import by_user
from dagster_project.sources.postgres_reader import rows
from dagster_project.sources.postgres_reader.marks import Mode
from dagster_project.sources.rooms import schema
from dagster_project.sources.rooms.entities import ENTITIES, ROOMS
from dagster_project.sources.rooms.sandbox import faults
from dagster_project.sources.rooms.sandbox.fill import fill, play
from dagster_project.sources.rooms.sandbox.firm import Firm
from dagster_project.sources.rooms.sandbox.generator import RoomsSandbox
from dagster_project.warehouse import suppression
from tests.support import reading

FIRM = Firm(first_day=date(2026, 3, 2), days=10, rooms_per_day=4)
UNTIL = datetime(2026, 3, 4, 17, tzinfo=UTC)
TODAY = date(2026, 3, 4)
MESSAGES = ROOMS.entity("messages")


@pytest.fixture(scope="module")
def source(new_database: Callable[[], str]) -> str:
    url = new_database()
    schema.upgrade(url)
    with psycopg.connect(url) as conn:
        fill(conn, FIRM, UNTIL)
    return url


@pytest.fixture
def rooms(source: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(source, autocommit=True) as conn:
        yield conn


@pytest.fixture
def conn(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True) as conn:
        yield conn


def read(url: str, source: str, mode: Mode = "row_xid", spec: SourceSpec = ROOMS, scope: Any = "incremental") -> Any:
    """What each entity's sync brought: (new, changed, unchanged, deleted, quarantined); none where nothing was new."""
    return reading.read(url, source, spec, TODAY, mode, scope)


def landed(conn: psycopg.Connection, entity: str) -> list[tuple[str, Any]]:
    """The payloads of an entity that are there, by key."""
    return reading.landed(conn, ROOMS.entity(entity))


def held(rooms: psycopg.Connection, entity: str) -> list[tuple[str, Any]]:
    """The same of the source."""
    return reading.held(rooms, ROOMS.entity(entity))


def assert_equal(conn: psycopg.Connection, rooms: psycopg.Connection, *entities: str) -> None:
    reading.assert_equal(conn, rooms, [ROOMS.entity(name) for name in entities] or ENTITIES)


def test_every_row_of_every_table_lands_as_it_is_without_secrets(
    conn: psycopg.Connection, rooms: psycopg.Connection, source: str, database_url: str
) -> None:
    brought = read(database_url, source)
    assert_equal(conn, rooms)
    assert brought["messages"][0] > 100 and brought["messages_history"][0] > 0
    found = conn.execute("select count(*), count(*) filter (where payload ? 'password_hash') from raw.rooms_users")
    assert found.fetchone() == (len(held(rooms, "users")), 0)
    assert read(database_url, source) == {}
    states = {one.entity: one for one in sync_status(conn, [ROOMS], TODAY)}
    assert {one.state for one in states.values()} == {"idle"} and len(states) == len(ENTITIES)
    assert not any(one.may_miss for one in states.values())


def test_a_day_that_goes_on_through_the_functions_is_read_to_the_row(
    conn: psycopg.Connection, rooms: psycopg.Connection, source: str, database_url: str
) -> None:
    read(database_url, source)
    (before,) = rooms.execute("select pg_current_xact_id()::text::bigint").fetchone() or ()
    with rooms.transaction():
        play(rooms, RoomsSandbox(FIRM).events(UNTIL + timedelta(hours=6), after=UNTIL))
    brought = read(database_url, source)
    written = {
        entity.name: rooms.execute(f"select count(*) from rooms.{entity.name} where row_xid > %s", [before]).fetchone()  # type: ignore[arg-type]
        for entity in ENTITIES
    }
    assert {name: (counts[0] + counts[1],) for name, counts in brought.items()} == {
        name: count for name, count in written.items() if count != (0,)
    }
    assert brought["messages"][0] > 10
    assert_equal(conn, rooms)


def test_a_transaction_that_commits_late_is_read_and_who_held_the_rest_back_is_shown(
    conn: psycopg.Connection, rooms: psycopg.Connection, source: str, database_url: str
) -> None:
    read(database_url, source)
    with faults.LateCommit(source, UNTIL) as late:
        meanwhile = faults.post(rooms, UNTIL, 2, "meanwhile")
        assert read(database_url, source) == {}, "what is newer than an open transaction waits for it"
        held_back = rooms.execute("select pid from pg_stat_activity where application_name = 'late client'").fetchone()
        assert held_back is not None
        [state] = [one for one in sync_status(conn, [ROOMS], TODAY) if one.entity == "messages"]
        assert (state.ceiling_holder_pid, state.ceiling_age_seconds is not None) == (*held_back, True)
        conn.execute("update ops.sync_states set ceiling_age_seconds = 901 where entity_type = 'messages'")
        told = [trouble for trouble in look(conn, Settings.load(), [ROOMS]).troubles if "held_back" in trouble.subject]
        assert [(one.severity, f"process {held_back[0]}" in one.detail) for one in told] == [("warning", True)]
    assert read(database_url, source)["messages"][0] == len([*meanwhile, *late.messages])
    assert_equal(conn, rooms, "messages")


def test_reading_by_updated_at_misses_what_commits_late_says_so_and_finds_it_at_night(
    conn: psycopg.Connection, rooms: psycopg.Connection, source: str, database_url: str
) -> None:
    read(database_url, source, "updated_at")
    assert_equal(conn, rooms)
    assert all(one.may_miss for one in sync_status(conn, [ROOMS], TODAY))
    before = landed(conn, "messages")
    with faults.LateCommit(source, datetime.now(UTC) - timedelta(minutes=20), 1):
        pass
    read(database_url, source, "updated_at")
    assert landed(conn, "messages") == before, "the counter-example"
    read(database_url, source, "updated_at", scope="sweep")
    assert_equal(conn, rooms, "messages")


@pytest.mark.parametrize("mode", ["row_xid", "xmin"])
def test_clocks_that_are_off_and_5000_rows_of_one_instant_cost_no_row(
    mode: Mode,
    conn: psycopg.Connection,
    rooms: psycopg.Connection,
    source: str,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rows, "BATCH", 900)
    read(database_url, source, mode)
    # New rows may lie where old ones were, so the first ones of the table need not be old.
    known = [one for (one,) in rooms.execute("select id from rooms.messages order by created_at, id limit 7")]
    with rooms.transaction():
        faults.post(rooms, UNTIL, 5_000, f"one instant {mode}")
        for hours in (-30, 30):
            faults.post(rooms, UNTIL + timedelta(hours=hours), 20, f"skew {hours} {mode}")
    rooms.execute("update rooms.messages set content = content || '!' where id = any(%s)", [known])
    assert read(database_url, source, mode)["messages"][:3] == (5_040, 7, 0)
    assert_equal(conn, rooms, "messages", "messages_history")
    pages = conn.execute(
        "select count(*) from ops.page_loads where entity_type = 'messages' and window_name <> 'all rows'"
    ).fetchone()
    assert pages == (6,)


def test_a_reader_that_is_killed_anywhere_goes_on_where_it_was(
    conn: psycopg.Connection, rooms: psycopg.Connection, source: str, database_url: str
) -> None:
    for point in (1, 1_100, 2_500):  # rows: within the first page, within another, between two
        reading.kill_at(point, 500, database_url, source, ROOMS, TODAY, entity="messages")
    before = conn.execute("select count(*) from raw.rooms_messages").fetchone()
    brought = read(database_url, source)
    assert_equal(conn, rooms)
    assert before and before[0] >= 1_000
    assert brought["messages"][:3] == (len(held(rooms, "messages")) - before[0], 0, 0), "none is read a second time"


def test_a_row_that_is_deleted_is_marked_by_its_history_and_comes_back_with_it(
    conn: psycopg.Connection, rooms: psycopg.Connection, source: str, database_url: str
) -> None:
    [message] = faults.post(rooms, UNTIL, 1, "deleted")
    read(database_url, source)
    kept = rooms.execute("select * from rooms.messages where id = %s", [message]).fetchone()
    rooms.execute("delete from rooms.messages where id = %s", [message])
    assert read(database_url, source)["messages_history"][3] == 1
    query = "select deleted_at is not null, deletion_reason from raw.rooms_messages where payload ->> 'id' = %s"
    assert conn.execute(query, [message]).fetchone() == (True, "deleted at the source")
    with rooms.transaction():  # there again before it is read that it was gone once more
        faults.post(rooms, UNTIL, 1, "deleted")
        rooms.execute("delete from rooms.messages where id = %s", [message])
        faults.post(rooms, UNTIL, 1, "deleted")
    assert kept and read(database_url, source)["messages"][:2] == (0, 1)
    assert conn.execute(query, [message]).fetchone() == (False, None)
    assert_equal(conn, rooms, "messages")


@pytest.fixture
def own_source(source: str, server_url: str) -> Iterator[str]:
    """A copy of the filled schema, in a database that a test may spoil."""
    name = urlsplit(source).path[1:]
    faults.copy_database(server_url, name, "spoiled")
    yield urlsplit(source)._replace(path="/spoiled").geturl()
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute("drop database if exists spoiled with (force)")
        conn.execute("drop database if exists spoiled_backup with (force)")


def test_what_is_deleted_of_a_table_without_history_is_found_by_night(
    conn: psycopg.Connection, rooms: psycopg.Connection, source: str, database_url: str
) -> None:
    read(database_url, source)
    gone = {
        "organizations": "name = 'of a test'",
        "user_presence_changes": "changed_at = (select max(changed_at) from rooms.user_presence_changes)",
        "data_access_log": "purpose = 'of a test'",
        "archives": "\"table\" = 'message_search'",  # as when a month of messages is archived
    }
    rooms.execute("insert into rooms.organizations (name) values ('of a test')")
    rooms.execute("insert into rooms.data_access_log (purpose, rows_read) values ('of a test', 1)")
    rooms.execute("select rooms.keep_partitions()")
    read(database_url, source)
    counts = {table: rooms.execute(f"delete from rooms.{table} where {rows}").rowcount for table, rows in gone.items()}  # type: ignore[arg-type]
    assert min(counts.values()) > 0
    assert read(database_url, source) == {}
    found = read(database_url, source, scope="sweep")
    assert {name: brought[3] for name, brought in found.items()} == counts
    assert_equal(conn, rooms, *counts)
    reasons = conn.execute("select distinct deletion_reason from raw.rooms_archives where deleted_at is not null")
    assert reasons.fetchall() == [("deleted at the source",)]


def test_after_a_restore_all_is_read_once_and_what_was_deleted_since_the_backup_is_there_again(
    conn: psycopg.Connection, own_source: str, server_url: str, database_url: str
) -> None:
    faults.copy_database(server_url, "spoiled", "spoiled_backup")
    read(database_url, own_source)
    with psycopg.connect(own_source, autocommit=True) as rooms:
        lost = faults.post(rooms, UNTIL, 3, "lost by the restore")
        rooms.execute("delete from rooms.messages where id = (select min(id::text)::uuid from rooms.messages)")
    assert read(database_url, own_source)["messages_history"][3] == 1
    faults.copy_database(server_url, "spoiled_backup", "spoiled")
    with psycopg.connect(own_source, autocommit=True) as rooms:
        faults.post(rooms, UNTIL, 2, "after the restore")
        brought = read(database_url, own_source)["messages"]
        assert brought[:2] == (2, 1) and brought[2] == len(held(rooms, "messages")) - 3
        extra = {key.split("|")[0] for key, _ in landed(conn, "messages")} - {
            key.split("|")[0] for key, _ in held(rooms, "messages")
        }
        assert extra == set(lost), "absence says nothing: only history tells of deletions"
        assert read(database_url, own_source) == {}


def test_new_columns_and_values_land_and_a_row_that_cannot_goes_to_quarantine_alone(
    conn: psycopg.Connection, own_source: str, database_url: str
) -> None:
    read(database_url, own_source)
    with psycopg.connect(own_source) as rooms:
        faults.drift(rooms, UNTIL)
        rooms.execute("alter table rooms.messages add column extra json")
        ids = faults.post(rooms, UNTIL, 9, "extra")
        rooms.execute('update rooms.messages set extra = \'{"a": "\\u0000"}\' where id = %s', [ids[4]])
        rooms.commit()
        brought = read(database_url, own_source)["messages"]
        assert (brought[0] + brought[1], brought[4]) == (9, 1)
        told = conn.execute("select rule, detail, record_key, payload_bytes from raw.quarantine").fetchone()
        assert told is not None and told[0] == "row_cannot_land" and "22P05" in told[1]
        assert told[2].startswith(ids[4]) and json.loads(told[3])["extra"] == {"a": "\0"}
        fields = "select path, json_type from ops.field_catalog where source = 'rooms' and path in ('urgency', 'extra')"
        assert sorted(conn.execute(fields).fetchall()) == [("extra", "object"), ("urgency", "string")]
        kinds = "select count(*) from raw.rooms_messages where payload ->> 'message_type' = 'video'"
        assert conn.execute(kinds).fetchone() == (1,)
        rooms.execute("update rooms.messages set extra = '{}' where id = %s", [ids[4]])
        rooms.commit()
        read(database_url, own_source)
        assert conn.execute("select count(*) from raw.quarantine where resolved_at is null").fetchone() == (0,)
        assert [key for key, _ in landed(conn, "messages")] == sorted(key for key, _ in held(rooms, "messages"))


def test_what_could_not_land_is_tried_again_from_its_bytes_and_tells_of_deletions_then(
    conn: psycopg.Connection, rooms: psycopg.Connection, source: str, database_url: str
) -> None:
    read(database_url, source)
    for table in ("rooms_messages", "rooms_messages_history"):
        conn.execute(
            f"alter table raw.{table} add constraint refused check (strpos(payload ->> 'content', 'refused') = 0) "  # type: ignore[arg-type]
            "not valid"
        )
    one, other = faults.post(rooms, UNTIL, 2, "tried again")
    rooms.execute(
        "update rooms.messages set content = E'refused\\\\ \t\n\"' where id = any(%s::uuid[])", [[one, other]]
    )
    assert read(database_url, source)["messages"][::4] == (0, 2)
    rooms.execute("delete from rooms.messages where id = %s", [other])
    assert read(database_url, source)["messages_history"][3:] == (0, 1)
    tried = retry_quarantine(database_url, [ROOMS], triggered_by="test")
    assert (tried.tried, tried.resolved) == (3, 0)
    for table in ("rooms_messages", "rooms_messages_history"):
        conn.execute(f"alter table raw.{table} drop constraint refused")  # type: ignore[arg-type]
    tried = retry_quarantine(database_url, [ROOMS], triggered_by="test")
    assert (tried.tried, tried.resolved) == (3, 3)
    assert_equal(conn, rooms, "messages", "messages_history")


def test_a_person_who_was_erased_does_not_come_back(
    conn: psycopg.Connection,
    rooms: psycopg.Connection,
    source: str,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("B2CHAT_ERASURE_SALT", "a salt of a test")
    [(person, count)] = rooms.execute(
        "select sender_id::text, count(*) from rooms.messages group by 1 order by 2 desc, 1 limit 1"
    ).fetchall()
    suppression.add(conn, [suppression.writer(conn, Settings.load())(by_user("rooms", person))], "gone")
    read(database_url, source)
    said = conn.execute(
        "select count(*) filter (where payload ->> 'sender_id' = %(one)s), "
        "count(*) filter (where payload ->> 'sender_id' <> %(one)s), bool_or(payload ->> 'sender_id' = %(one)s) "
        "from raw.rooms_messages where payload ->> 'content' = '[erased]'",
        {"one": person},
    ).fetchone()
    assert said == (count, 0, True)
    user = conn.execute("select payload ->> 'email' from raw.rooms_users where row_key = %s", [person]).fetchone()
    assert user == ("[erased]",)
