"""What two full readings of a window no longer hold is marked as deleted, unless it is most; nothing else ever is."""

import json
import logging
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import psycopg
import pytest

from dagster_project.ingestion.records.deletions import is_suspicious
from dagster_project.ingestion.records.landing import PageResult, land_page
from dagster_project.ingestion.sync import SyncResult
from dagster_project.sources.b2chat.answers import Item
from dagster_project.sources.b2chat.errors import TransientError
from dagster_project.sources.b2chat.sandbox.faults import Fault, FaultPlan, envelope_says, fails
from dagster_project.sources.b2chat.sandbox.server import Sandbox
from dagster_project.sources.b2chat.windows import ExportPage, Window, read_window
from dagster_project.warehouse.connection import connect
from tests.support.listed import ListedSource, chat, client_of, contact, serving
from tests.support.syncing import sync_b2chat

START, TODAY = date(2025, 10, 1), date(2025, 10, 3)
CHATS = "/chats/export"
CHAT_REASON = "not returned by a full reading of its day"

Read = Callable[..., SyncResult]


@pytest.fixture
def conn(database_url: str) -> Iterator[psycopg.Connection]:
    with connect(database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def source() -> ListedSource:
    return ListedSource()


@pytest.fixture
def sandbox(source: ListedSource) -> Iterator[Sandbox]:
    with serving(source) as running:
        yield running


@pytest.fixture
def read(database_url: str, source: ListedSource, sandbox: Sandbox) -> Read:
    """Serve these records, and read all of them in a sync."""

    def read(records: list[Any], entity: Any = "chats", *, page_size: int = 2, **options: Any) -> SyncResult:
        source.records[entity] = records
        asked: dict[str, Any] = {"mode": "full", "start_date": START, "today": TODAY, "triggered_by": "test"}
        with client_of(sandbox, page_size=page_size, max_attempts=1) as client:
            return sync_b2chat(database_url, client, entity=entity, **(asked | options))

    return read


def deleted(conn: psycopg.Connection, table: str = "raw.b2chat_chats") -> dict[str, str | None]:
    return dict(conn.execute(f"select {table[11:-1]}_id, deletion_reason from {table} where deleted_at is not null"))  # type: ignore[call-overload]


def warnings(conn: psycopg.Connection) -> list[tuple[Any, ...]]:
    return conn.execute(
        "select error_code, metadata - 'entity' from ops.error_logs order by timestamp, error_code"
    ).fetchall()


def test_a_chat_that_two_readings_of_its_day_do_not_return_is_marked(conn: psycopg.Connection, read: Read) -> None:
    read([chat("a"), chat("b"), chat("c"), chat("d"), chat("other day", "2025-10-02")])
    result = read([chat("a"), chat("d"), chat("e"), chat("other day", "2025-10-02")])
    assert (result.status, result.counts.deleted, result.counts.missing) == ("success", 2, 0)
    assert deleted(conn) == {"b": CHAT_REASON, "c": CHAT_REASON}
    assert conn.execute(
        "select distinct version, load_id from raw.b2chat_chats where deleted_at is not null"
    ).fetchall() == [(1, result.counts.last_load_id)]  # dbt reads them again
    assert read([chat("a"), chat("d"), chat("e"), chat("other day", "2025-10-02")]).counts.deleted == 0


def test_a_chat_that_comes_back_unchanged_is_restored_as_the_version_it_was(
    conn: psycopg.Connection, read: Read
) -> None:
    read([chat("a"), chat("b")])
    read([chat("a")])
    assert list(deleted(conn)) == ["b"]
    back = read([chat("b"), chat("a")]).counts
    assert (back.restored, back.new, back.changed, back.unchanged) == (1, 0, 0, 2)
    assert deleted(conn) == {}
    [(version, load_id)] = conn.execute("select version, load_id from raw.b2chat_chats where chat_id = 'b'").fetchall()
    assert (version, load_id > 1) == (1, True)
    assert conn.execute("select count(*) from raw.b2chat_chat_versions").fetchall() == [(0,)]


def test_a_chat_that_comes_back_changed_or_unreadable_is_restored_too(conn: psycopg.Connection, read: Read) -> None:
    read([chat("a"), chat("b")])
    read([], confirm_deletions=True)
    assert sorted(deleted(conn)) == ["a", "b"]
    read([chat("a", status="OPENED"), chat("b", closed_at="soon")])
    assert deleted(conn) == {}
    assert conn.execute("select chat_id, version from raw.b2chat_chats order by 1").fetchall() == [("a", 2), ("b", 1)]


def test_a_reading_that_fails_or_does_not_add_up_deletes_nothing(
    conn: psycopg.Connection, read: Read, sandbox: Sandbox
) -> None:
    everything = [chat(key) for key in "abcdefgh"]
    read(everything)
    sandbox.faults = FaultPlan(Fault(CHATS, fails(500), nth=sandbox.requests[CHATS] + 2))
    with pytest.raises(TransientError):
        read(everything[1:])
    sandbox.faults = FaultPlan(Fault(CHATS, envelope_says(total=9), times=99, nth=sandbox.requests[CHATS] + 1))
    assert read(everything[2:], today=START).status == "partial"
    assert deleted(conn) == {}


def test_a_chat_that_one_reading_alone_does_not_return_is_not_deleted(
    conn: psycopg.Connection, read: Read, source: ListedSource
) -> None:
    everything = [chat(key) for key in "abcdef"]
    read(everything, today=START)
    asked = len(source.queries)

    def is_back() -> None:
        if len(source.queries) == asked + 1:
            source.records["chats"] = everything

    source.before_answer = is_back
    result = read(everything[1:], today=START, page_size=9)
    assert (result.status, len(source.queries) - asked) == ("success", 2)
    assert (deleted(conn), warnings(conn)) == ({}, [])


def test_a_chat_that_moved_to_another_day_is_not_deleted(conn: psycopg.Connection, read: Read) -> None:
    read([chat("a"), chat("b")])
    read([chat("a", "2025-10-02"), chat("b")])
    assert deleted(conn) == {}


def test_a_chat_that_another_days_window_brings_is_not_missed_by_its_own_days(conn: psycopg.Connection) -> None:
    def land(day: int, *items: Item) -> PageResult:
        window = Window("chats", date(2025, 10, day), date(2025, 10, day))
        [page] = read_window(window, lambda offset: ExportPage(list(items), len(items), len(items), offset, 9, 9, 9))
        return land_page(conn, page, "sync-1")

    one = chat("cut in another zone", "2025-10-01")
    land(2, Item(0, json.dumps(one), one))
    assert land(1).missing is None


def test_contacts_are_deleted_only_by_full_readings_of_all(conn: psycopg.Connection, read: Read) -> None:
    read([contact(1), contact(2)], "contacts")
    read([contact(1)], "contacts", mode="incremental")
    assert deleted(conn, "raw.b2chat_contacts") == {}
    read([contact(1)], "contacts")
    assert deleted(conn, "raw.b2chat_contacts") == {"2": "not returned by a full reading of all contacts"}
    read([contact(1), contact(2, updated="2025-10-03 08:00:00")], "contacts", mode="incremental")
    assert deleted(conn, "raw.b2chat_contacts") == {}


@pytest.mark.parametrize(
    ("known", "left", "gone"),
    [(40, 20, 20), (39, 19, 0), (38, 19, 19), (20, 0, 0), (19, 0, 0), (6, 2, 4), (9, 4, 0), (2, 1, 1), (1, 0, 0)],
)
def test_a_reading_that_would_delete_most_of_a_day_is_not_believed(
    conn: psycopg.Connection, read: Read, caplog: pytest.LogCaptureFixture, known: int, left: int, gone: int
) -> None:
    chats = [chat(str(number)) for number in range(known)]
    read(chats, page_size=50)
    with caplog.at_level(logging.WARNING):
        result = read(chats[:left], page_size=50)
    assert len(deleted(conn)) == gone
    assert (result.counts.deleted, result.counts.missing) == (gone, known - left - gone)
    believed = gone == known - left
    assert ("suspicious" in caplog.text) is not believed
    told = {"window": "created 2025-10-01", "missing": known - left, "known": known}
    [(noted,)] = conn.execute(
        "select metadata -> 'errors' from ops.sync_logs order by started_at desc limit 1"
    ).fetchall()
    assert noted == (None if believed else [{"error": "suspicious_deletion"} | told])
    assert warnings(conn) == ([] if believed else [("SuspiciousDeletion", told)])


@pytest.mark.parametrize("left", [0, 1, 2])
def test_what_leaks_away_by_few_a_day_adds_up_in_the_sync(conn: psycopg.Connection, read: Read, left: int) -> None:
    days = [f"2025-10-{day:02}" for day in range(1, 11)]
    chats = [chat(f"{day} {n}", day) for day in days for n in range(6)]
    read(chats, today=date(2025, 10, 10), page_size=50)
    kept = [one for one in chats if int(one["chat_id"][-1]) < left]
    assert read(kept, today=date(2025, 10, 10), page_size=50).counts.missing == len(chats) - len(kept)
    assert deleted(conn) == {}
    confirmed = read(kept, today=date(2025, 10, 10), page_size=50, confirm_deletions=True)
    assert (confirmed.counts.deleted, confirmed.counts.missing) == (len(chats) - len(kept), 0)


def test_all_contacts_of_a_small_account_are_not_believed_to_be_gone(conn: psycopg.Connection, read: Read) -> None:
    read([contact(n) for n in range(10)], "contacts", page_size=50)
    assert read([], "contacts", page_size=50).counts.missing == 10
    assert deleted(conn, "raw.b2chat_contacts") == {}
    read([], "contacts", page_size=50, confirm_deletions=True)
    assert len(deleted(conn, "raw.b2chat_contacts")) == 10


def test_what_is_suspicious() -> None:
    assert [is_suspicious(*case) for case in [(0, 0), (0, 9), (1, 1), (4, 5), (5, 9), (5, 10), (150, 150), (1, 9)]] == [
        False,
        False,
        True,
        False,
        True,
        False,
        True,
        False,
    ]


def test_a_record_without_a_key_that_was_there_before_hides_no_deletion(conn: psycopg.Connection, read: Read) -> None:
    nameless = {"chat_id": "", "created_at": "2025-10-01 09:00:00"}
    read([chat("a"), chat("b"), nameless, chat("c")])
    read([chat("a"), nameless, chat("c")])
    assert (list(deleted(conn)), [code for code, _ in warnings(conn)]) == (["b"], ["Quarantined"])


def test_a_record_that_may_have_lost_its_key_is_not_taken_for_gone_and_it_is_said(
    conn: psycopg.Connection, read: Read
) -> None:
    read([chat("a"), chat("b"), chat("c")])
    for _ in range(2):
        result = read([chat("a"), chat("b") | {"chat_id": None}, chat("c"), chat("new")], today=START)
        assert (result.status, result.counts.deleted, result.counts.missing) == ("success", 0, 1)
    told = ("DeletionsUntold", {"window": "created 2025-10-01", "missing": 1, "without_key": 1})
    assert [one for one in warnings(conn) if one[0] != "Quarantined"] == [told, told]
    # One that came beside it, with its key, is another, and may be seen to be gone.
    assert read([chat("a"), chat("b") | {"chat_id": None}, chat("c")], today=START).counts.deleted == 1
    assert list(deleted(conn)) == ["new"]
    read([chat("a"), chat("b"), chat("c")])
    assert list(deleted(conn)) == ["new"]


def test_of_equal_records_without_a_key_each_may_be_one_that_is_missing(conn: psycopg.Connection, read: Read) -> None:
    read([chat("a"), {"chat_id": None}, chat("b"), chat("c")], today=START)
    read([chat("a"), {"chat_id": None}, {"chat_id": None}, chat("c")], today=START)
    assert deleted(conn) == {}
