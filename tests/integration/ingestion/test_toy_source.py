"""A third source, a list of dictionaries, is synced, resumed and quarantined through the contract alone."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from datetime import date
from typing import Any

import psycopg
import pytest

from dagster_project.alerts.troubles import look
from dagster_project.ingestion.records.quarantine import (
    QuarantineCount,
    RetryResult,
    quarantine_counts,
    retry_quarantine,
)
from dagster_project.ingestion.status import sync_status
from dagster_project.ingestion.sync import SyncResult, sync
from dagster_project.settings import Settings
from dagster_project.sources.contract import Scope
from tests.support import toy_source
from tests.support.toy_source import NOTES, TABLES, TOY, ToySource

TODAY = date(2025, 10, 10)


@pytest.fixture
def conn(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(TABLES)
        yield connection


def notes(*numbers: int, **fields: Any) -> list[dict[str, Any]]:
    return [{"number": number, "text": f"note {number}"} | fields for number in numbers]


def run(url: str, source: ToySource) -> SyncResult:
    return sync(url, source, NOTES, Scope("incremental", TODAY), triggered_by="test")


def test_new_and_changed_records_land_under_the_sources_name(conn: psycopg.Connection, database_url: str) -> None:
    first = run(database_url, ToySource(notes(1, 2, 3)))
    second = run(database_url, ToySource([*notes(1, 2), *notes(3, text="changed"), *notes(4)]))
    assert (first.status, first.counts.new, first.windows_read) == ("success", 3, 1)
    assert (second.counts.new, second.counts.changed, second.counts.unchanged) == (1, 1, 2)
    assert conn.execute("select note_id, version, payload ->> 'text' from raw.toy_notes order by 1").fetchall() == [
        ("1", 1, "note 1"),
        ("2", 1, "note 2"),
        ("3", 2, "changed"),
        ("4", 1, "note 4"),
    ]
    assert conn.execute("select payload ->> 'text' from raw.toy_note_versions").fetchall() == [("note 3",)]
    assert conn.execute("select distinct source, entity_type from ops.page_loads").fetchall() == [("toy", "notes")]
    [state] = sync_status(conn, [TOY], TODAY)
    assert (state.source, state.entity, state.state, state.last_sync_status) == ("toy", "notes", "idle", "success")


def test_a_killed_sync_is_resumed_where_it_was_and_brings_each_record_once(
    conn: psycopg.Connection, database_url: str
) -> None:
    victim = multiprocessing.get_context("spawn").Process(target=_die_at_the_third_page, args=(database_url,))
    victim.start()
    victim.join(60)
    assert victim.exitcode == -signal.SIGKILL
    landed = {row[0] for row in conn.execute("select note_id from raw.toy_notes")}
    assert landed in ({"1", "2"}, {"1", "2", "3", "4"})  # one page is prefetched
    source = ToySource(notes(*range(1, 8)))
    run(database_url, source)
    assert source.served == list(range(len(landed) + 1, 8))
    assert conn.execute("select count(*), max(version) from raw.toy_notes").fetchone() == (7, 1)
    assert conn.execute("select status, error_message from ops.sync_logs order by started_at").fetchall() == [
        ("error", "did not finish"),
        ("success", None),
    ]


def _die_at_the_third_page(url: str) -> None:
    def die(served: int) -> None:
        if served >= 4:
            os.kill(os.getpid(), signal.SIGKILL)

    run(url, ToySource(notes(*range(1, 8)), die))


def test_what_cannot_be_read_is_quarantined_and_lands_when_the_rules_allow_it(
    conn: psycopg.Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run(database_url, ToySource([*notes(1), *notes(2, text=""), *notes(3)]))
    assert (result.counts.new, result.counts.quarantined) == (2, 1)
    assert quarantine_counts(conn, [TOY]) == [QuarantineCount("toy", "notes", "text_missing", 1, pytest.approx(1 / 3))]
    assert [trouble.source for trouble in look(conn, Settings.load(), [TOY]).troubles] == ["toy"]
    assert retry_quarantine(database_url, [TOY], triggered_by="test") == RetryResult(1, 0, 1)
    monkeypatch.setattr(toy_source, "read_note", lambda note, position: toy_source.Record("2", '{"text":""}', "h"))
    assert retry_quarantine(database_url, [TOY], triggered_by="test") == RetryResult(1, 1, 0)
    assert conn.execute("select count(*) from raw.toy_notes").fetchone() == (3,)


def test_one_source_says_nothing_of_another(conn: psycopg.Connection, database_url: str) -> None:
    conn.execute("insert into ops.data_source values ('b2chat', 'https://api.b2chat.io', now(), 'b2chat')")
    run(database_url, ToySource(notes(1)))
    assert conn.execute("select source, kind from ops.data_source order by 1").fetchall() == [
        ("b2chat", "b2chat"),
        ("toy", "list"),
    ]
