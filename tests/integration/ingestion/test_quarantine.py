"""Quarantined records are tried again under the rules of the day, and never stand before what came later."""

from typing import Any

import psycopg
import pytest

from dagster_project.ingestion.errors import AlreadyRunning
from dagster_project.ingestion.records.quarantine import (
    QuarantineCount,
    RetryResult,
    quarantine_counts,
    retry_quarantine,
)
from dagster_project.ingestion.single_writer import writer
from dagster_project.sources.b2chat import records
from dagster_project.sources.catalog import SOURCES
from dagster_project.warehouse.connection import connect
from tests.support.landing import DAY, land
from tests.support.listed import chat, contact

LONG = "x" * 700


@pytest.fixture
def conn(database_url: str) -> Any:
    with connect(database_url, autocommit=True) as connection:
        yield connection


def retry(url: str) -> RetryResult:
    return retry_quarantine(url, SOURCES, triggered_by="test")


def longer_texts_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_INDEXED_LENGTH", 1000)


def test_after_a_fix_the_exact_record_lands_as_a_load_of_its_own(
    conn: psycopg.Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(conn, chat("a", status="OPENED"))
    land(conn, chat("a", alias=LONG), chat("b", alias=LONG), chat("c", closed_at="soon"), {"chat_id": "d"})
    land(conn, contact(7, email=LONG), entity="contacts")
    assert retry(database_url) == RetryResult(tried=5, resolved=0, still_bad=5)
    longer_texts_are_allowed(monkeypatch)
    assert retry(database_url) == RetryResult(tried=5, resolved=3, still_bad=2)
    assert retry(database_url) == RetryResult(tried=2, resolved=0, still_bad=2)
    assert conn.execute(
        "select chat_id, version, load_id, length(payload ->> 'alias') from raw.b2chat_chats order by 1"
    ).fetchall() == [("a", 2, 4, 700), ("b", 1, 4, 700)]
    assert conn.execute("select contact_id, load_id from raw.b2chat_contacts").fetchall() == [("7", 5)]
    assert conn.execute(
        "select record_count, new_count, changed_count, window_from from ops.page_loads "
        "where load_id > 3 order by load_id"
    ).fetchall() == [(2, 1, 1, DAY), (1, 1, 0, DAY)]
    rows = conn.execute("select record_key, attempts, resolved_at is null from raw.quarantine order by 1").fetchall()
    assert rows == [("7", 3, False), ("a", 3, False), ("b", 3, False), ("c", 4, True), ("d", 4, True)]
    assert conn.execute("select distinct operation, status from ops.sync_logs").fetchall() == [
        ("quarantine_retry", "success")
    ]


def test_a_newer_version_that_arrived_meanwhile_stays(
    conn: psycopg.Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(conn, chat("a", alias=LONG))
    land(conn, chat("a", alias="short"))
    conn.execute("update raw.quarantine set resolved_at = null")
    longer_texts_are_allowed(monkeypatch)
    assert retry(database_url) == RetryResult(tried=1, resolved=1, still_bad=0)
    assert conn.execute("select version, payload ->> 'alias' from raw.b2chat_chats").fetchall() == [(1, "short")]


def test_of_two_versions_of_one_record_the_later_lands_and_a_returned_fault_counts_as_later(
    conn: psycopg.Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(conn, chat("a", alias=LONG))
    land(conn, chat("a", alias=LONG + "y"))
    conn.execute("update raw.quarantine set resolved_at = null")
    land(conn, chat("b", alias=LONG))
    land(conn, chat("b", alias="short"))
    land(conn, chat("b", alias=LONG))
    longer_texts_are_allowed(monkeypatch)
    assert retry(database_url).resolved == 3
    assert conn.execute(
        "select chat_id, version, length(payload ->> 'alias') from raw.b2chat_chats order by 1"
    ).fetchall() == [("a", 1, 701), ("b", 2, 700)]


def test_counts_are_by_entity_and_rule_with_the_share_of_records(conn: psycopg.Connection) -> None:
    assert quarantine_counts(conn, SOURCES) == []
    rejected_parts = [{"created_at": "2025-10-01 09:00:00"}, "text", "more"]
    land(conn, chat("a"), chat("b", messages=rejected_parts), chat("c", alias=LONG), chat("d", closed_at="soon"))
    land(conn, chat("c"))
    land(conn, contact(7), 17, entity="contacts")
    assert quarantine_counts(conn, SOURCES) == [
        QuarantineCount("b2chat", "message", "message_not_an_object", 2, 0.25),
        QuarantineCount("b2chat", "chats", "time_unreadable", 1, 0.25),
        QuarantineCount("b2chat", "contacts", "not_an_object", 1, 0.5),
    ]


def test_a_retry_does_not_start_while_a_sync_holds_the_warehouse(database_url: str) -> None:
    with writer(database_url, "sync"), pytest.raises(AlreadyRunning):
        retry(database_url)


def test_a_bad_row_of_an_audit_export_is_counted_like_the_rest(database_url: str) -> None:
    with psycopg.connect(database_url) as conn:
        conn.execute(
            "insert into raw.quarantine (source, entity_type, record_key, rule, detail, payload_bytes, content_hash, "
            "load_id, page_offset, position, quarantined_at) "
            "values ('b2chat_audit', 'messages', 'a', 'key_missing', '', '', 'h', 1, 0, 0, now())"
        )
        assert quarantine_counts(conn, SOURCES) == [QuarantineCount("b2chat_audit", "messages", "key_missing", 1, 1.0)]
