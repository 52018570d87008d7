"""What a whole reading of a window no longer holds is marked as deleted; nothing else ever is."""

import json
import logging
from collections.abc import Iterator
from datetime import date
from typing import Any

import psycopg
import pytest

from dagster_project.b2chat.answers import Item
from dagster_project.b2chat.windows import Landmark, Page, Window, read_window
from dagster_project.ingestion.landing import PageResult, land_page
from dagster_project.warehouse.connection import connect
from tests.listed import chat, contact

DAY = Window("chats", date(2025, 10, 1), date(2025, 10, 1))
NEXT_DAY = Window("chats", date(2025, 10, 2), date(2025, 10, 2))
CHAT_REASON = "not returned by a whole reading of its day"


@pytest.fixture
def conn(database_url: str) -> Iterator[psycopg.Connection]:
    with connect(database_url, autocommit=True) as connection:
        yield connection


def read(
    conn: psycopg.Connection, records: list[Any], window: Window = DAY, *, total: int | None = None,
    after: Landmark | None = None, pages: int | None = None,
) -> list[PageResult]:
    """Read a window in pages of two, as a sync does, and land them (or the first few)."""

    def fetch(offset: int) -> Page:
        items = [Item(n, json.dumps(one), one) for n, one in enumerate(records[offset : offset + 2])]
        return Page(items, len(items), len(records) if total is None else total, offset, 2, 9, 9)

    return [land_page(conn, page, "sync-1") for page, _ in zip(
        read_window(window, fetch, after=after), range(pages or 99), strict=False)]


def deleted(conn: psycopg.Connection, table: str = "raw.chats") -> dict[str, str | None]:
    return dict(conn.execute(f"select {table[4:-1]}_id, deletion_reason from {table} where deleted_at is not null"))  # type: ignore[call-overload]


def test_a_chat_that_a_whole_reading_of_its_day_does_not_return_is_marked_by_the_last_page(
    conn: psycopg.Connection,
) -> None:
    read(conn, [chat("a"), chat("b"), chat("c"), chat("other day", "2025-10-02")])
    results = read(conn, [chat("a"), chat("d"), chat("e")])
    assert [result.deleted for result in results] == [0, 2]
    assert deleted(conn) == {"b": CHAT_REASON, "c": CHAT_REASON}
    assert conn.execute("select distinct version, load_id from raw.chats where deleted_at is not null").fetchall() == [
        (1, results[-1].load_id)]
    assert [result.deleted for result in read(conn, [chat("a"), chat("d"), chat("e")])] == [0, 0]


def test_a_chat_that_comes_back_unchanged_is_restored_as_the_version_it_was(conn: psycopg.Connection) -> None:
    read(conn, [chat("a"), chat("b")])
    read(conn, [chat("a")])
    assert list(deleted(conn)) == ["b"]
    [back] = read(conn, [chat("b"), chat("a")], pages=1)
    assert (back.restored, back.new, back.changed, back.unchanged) == (1, 0, 0, 2)
    assert deleted(conn) == {}
    assert conn.execute("select version, load_id from raw.chats where chat_id = 'b'").fetchall() == [(1, back.load_id)]
    assert conn.execute("select count(*) from raw.chat_versions").fetchall() == [(0,)]


def test_a_chat_that_comes_back_changed_or_unreadable_is_restored_too(conn: psycopg.Connection) -> None:
    read(conn, [chat("a"), chat("b")])
    read(conn, [])
    assert sorted(deleted(conn)) == ["a", "b"]
    read(conn, [chat("a", status="OPENED"), chat("b", closed_at="soon")])
    assert deleted(conn) == {}
    assert conn.execute("select chat_id, version from raw.chats order by 1").fetchall() == [("a", 2), ("b", 1)]


def test_a_reading_that_is_cut_short_resumed_or_not_whole_deletes_nothing(conn: psycopg.Connection) -> None:
    everything = [chat(key) for key in "abcd"]
    read(conn, everything)
    read(conn, everything[1:], pages=1)
    read(conn, everything[2:], total=3)
    page = Page([Item(0, "", chat("c")), Item(1, "", chat("d"))], 2, 4, 2, 2, 9, 9)
    landmark = Landmark(2, page.keys_digest("chats"), 4)
    resumed = read(conn, [chat("a"), chat("a"), chat("c"), chat("d")], after=landmark)
    assert [result.deleted for result in resumed] == [0, 0]
    nameless = read(conn, [chat("a"), {"chat_id": ""}])
    assert nameless[-1].deleted == 0
    assert deleted(conn) == {}


def test_a_chat_that_moved_to_another_day_is_not_deleted(conn: psycopg.Connection) -> None:
    read(conn, [chat("a"), chat("b")])
    read(conn, [chat("a", "2025-10-02")], NEXT_DAY)
    read(conn, [chat("b")])
    assert deleted(conn) == {}


def test_a_chat_that_another_days_window_brings_is_not_deleted_by_its_own_days(conn: psycopg.Connection) -> None:
    read(conn, [chat("cut in another zone", "2025-10-01")], NEXT_DAY)
    read(conn, [])
    assert deleted(conn) == {}


def test_contacts_are_deleted_only_by_a_whole_reading_of_all(conn: psycopg.Connection) -> None:
    read(conn, [contact(1), contact(2)], Window("contacts"))
    read(conn, [contact(1)], Window("contacts", date(2024, 1, 1), None, "updated"))
    assert deleted(conn, "raw.contacts") == {}
    read(conn, [contact(1)], Window("contacts"))
    assert deleted(conn, "raw.contacts") == {"2": "not returned by a whole reading of all contacts"}
    read(conn, [contact(2)], Window("contacts", date(2024, 1, 1), None, "updated"))
    assert deleted(conn, "raw.contacts") == {}


@pytest.mark.parametrize(("known", "left", "gone"), [(40, 20, 20), (39, 19, 0), (38, 19, 19), (19, 0, 19), (20, 0, 0)])
def test_a_reading_that_would_delete_most_of_a_day_is_not_believed(
    conn: psycopg.Connection, caplog: pytest.LogCaptureFixture, known: int, left: int, gone: int
) -> None:
    conn.execute("insert into ops.sync_logs (id, user_id, entity_type, operation, record_count, status, started_at) "
                 "values ('sync-1', 'test', 'chats', 'full', 0, 'in_progress', now())")
    chats = [chat(str(number)) for number in range(known)]
    read(conn, chats)
    with caplog.at_level(logging.WARNING):
        read(conn, chats[:left])
    assert len(deleted(conn)) == gone
    believed = gone == known - left
    assert ("suspicious" in caplog.text) is not believed
    error = {"error": "suspicious_deletion", "window": "created 2025-10-01", "missing": known - left, "known": known}
    noted = conn.execute("select metadata -> 'errors' from ops.sync_logs").fetchall()
    assert noted == [(None if believed else [error],)]
