"""Syncs against the sandbox's server over HTTP, into a real Postgres."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest

from dagster_project.ingestion.errors import AlreadyRunning, SourceMismatch, WarehouseFailed
from dagster_project.ingestion.quota import PostgresQuota
from dagster_project.ingestion.single_writer import writer
from dagster_project.ingestion.sync import Progress, SyncResult
from dagster_project.sources.b2chat.client import B2ChatClient
from dagster_project.sources.b2chat.errors import AuthenticationFailed, TransientError
from dagster_project.sources.b2chat.sandbox.faults import Fault, FaultPlan, envelope_says, fails
from dagster_project.sources.b2chat.sandbox.source import ChatQuery, ContactQuery
from dagster_project.sources.contract import QuotaExhausted
from dagster_project.warehouse.connection import connect
from tests.support.listed import CLIENT_ID, SECRET, ListedSource, chat, client_of, contact, serving
from tests.support.syncing import sync_b2chat

START, TODAY = date(2025, 10, 1), date(2025, 10, 10)
CHATS, CONTACTS = "/chats/export", "/contacts/export"
RAW = """
    select 'chat', chat_id, content_hash, payload::text, version, null::int from raw.b2chat_chats
    union all select 'chat version', chat_id, content_hash, payload::text, version, null from raw.b2chat_chat_versions
    union all select 'contact', contact_id, content_hash, payload::text, version, null from raw.b2chat_contacts
    union all select 'contact version', contact_id, content_hash, payload::text, version, null
    from raw.b2chat_contact_versions
    union all select 'window', entity_type, window_day::text, null, record_count, total from ops.sync_windows
    order by 1, 2, 3
"""


def run(url: str, client: B2ChatClient, entity: Any = "chats", **options: Any) -> SyncResult:
    defaults: dict[str, Any] = {"start_date": START, "today": TODAY, "lookback_days": 2, "triggered_by": "test"}
    return sync_b2chat(url, client, entity=entity, **(defaults | options))


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with connect(url, autocommit=True) as conn:
        return conn.execute(query).fetchall()


def days_asked(source: ListedSource) -> list[int]:
    asked = [query.created.first.day for query in source.queries if query.created.first]
    source.queries.clear()
    return asked


def test_the_first_sync_reads_each_day_and_the_next_only_the_recent_ones(database_url: str) -> None:
    source = ListedSource([chat(f"c{day}", f"2025-10-{day:02}") for day in range(1, 11)])
    with serving(source) as sandbox, client_of(sandbox) as client:
        first = run(database_url, client)
        assert days_asked(source) == list(range(1, 11))
        second = run(database_url, client)
        assert days_asked(source) == [8, 9, 10]
        run(database_url, client, today=TODAY + timedelta(days=3))
        assert days_asked(source) == [10, 11, 12, 13]  # the 10th was not over when it was read
        run(database_url, client, mode="full")
        assert days_asked(source) == list(range(1, 11))
    assert (first.status, first.source_kind, first.windows, first.windows_read) == ("success", "sandbox", 10, 10)
    assert (first.counts.new, second.counts.new, second.counts.unchanged) == (10, 0, 3)
    assert rows(database_url, "select min(window_day), max(window_day), count(*) from ops.sync_windows") == [
        (START, date(2025, 10, 12), 12)
    ]


def test_a_second_sync_writes_nothing_in_raw(database_url: str) -> None:
    source = ListedSource([chat(f"c{n}") for n in range(5)], [contact(n) for n in range(5)])
    physical = """
        select tableoid::regclass::text, ctid::text, xmin::text, xmax::text from raw.b2chat_chats
        union all select tableoid::regclass::text, ctid::text, xmin::text, xmax::text from raw.b2chat_contacts
        order by 1, 2
    """
    with serving(source) as sandbox, client_of(sandbox, page_size=2) as client:
        for entity in ("chats", "contacts"):
            run(database_url, client, entity)
        before = rows(database_url, physical)
        for entity in ("chats", "contacts"):
            run(database_url, client, entity, mode="full")
    assert len(before) == 10
    assert rows(database_url, physical) == before


def test_a_day_is_read_again_until_all_its_chats_have_ended(database_url: str) -> None:
    source = ListedSource(
        [
            chat("done"),
            chat("bot", "2025-10-03", status="BOT_CHATTING"),
            chat("poll", "2025-10-04", status="COMPLETING_POLL"),
            chat("odd", "2025-10-05", status=None),
        ]
    )
    with serving(source) as sandbox, client_of(sandbox) as client:
        run(database_url, client)
        days_asked(source)
        source.records["chats"][1]["status"] = "CLOSED"
        tomorrow, day_after = TODAY + timedelta(days=1), TODAY + timedelta(days=2)
        assert run(database_url, client, today=tomorrow).counts.changed == 1
        assert days_asked(source) == [3, 4, 5, 9, 10, 11]
        run(database_url, client, today=day_after)
        assert days_asked(source) == [4, 5, 10, 11, 12]
    assert rows(database_url, "select version, payload->>'status' from raw.b2chat_chats where chat_id = 'bot'") == [
        (2, "CLOSED")
    ]


def test_old_days_with_unfinished_chats_take_turns_each_once_a_day(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dagster_project.sources.b2chat.plan.MAX_OLD_DAYS", 2)
    source = ListedSource([chat(f"c{day}", f"2025-10-{day:02}", status="OPENED") for day in (1, 2, 3)])
    with serving(source) as sandbox, client_of(sandbox) as client:
        run(database_url, client)
        days_asked(source)
        tomorrow = TODAY + timedelta(days=1)
        assert run(database_url, client, lookback_days=0, today=tomorrow).days_waiting == 1
        assert days_asked(source) == [1, 2, 10, 11]
        assert run(database_url, client, lookback_days=0, today=tomorrow).days_waiting == 0
        assert days_asked(source) == [3, 11]
        run(database_url, client, lookback_days=0, today=tomorrow)
        assert days_asked(source) == [11]


def test_contacts_are_read_whole_first_and_then_what_was_updated_or_created_since(database_url: str) -> None:
    source = ListedSource(contacts=[contact(n) for n in range(1, 4)])
    with serving(source) as sandbox, client_of(sandbox, page_size=2) as client:
        run(database_url, client, "contacts")
        assert not [query for query in source.queries if query.created]
        source.queries.clear()
        source.records["contacts"][0] |= {"updated": "2025-10-10 08:00:00", "fullname": "Otra"}
        source.records["contacts"].append(contact(4, created="2025-10-10 09:00:00", updated=""))
        second = run(database_url, client, "contacts", today=date(2025, 10, 12))
        asked = [
            (query.created.first, query.updated.first) for query in source.queries if isinstance(query, ContactQuery)
        ]
    assert asked == [(None, date(2025, 10, 9)), (date(2025, 10, 9), None)]
    assert (second.counts.changed, second.counts.new) == (1, 1)
    assert rows(database_url, "select window_day from ops.sync_windows where entity_type = 'contacts' order by 1") == [
        (TODAY,),
        (date(2025, 10, 12),),
    ]


def test_the_books_say_what_was_done(database_url: str) -> None:
    with serving(ListedSource([chat("a"), chat("b"), chat("")])) as sandbox, client_of(sandbox) as client:
        result = run(database_url, client, triggered_by="ana")
    [(log_id, user, entity, operation, count, status, done, error, metadata)] = rows(
        database_url,
        """
        select id, user_id, entity_type, operation, record_count, status, completed_at >= started_at, error_message,
               metadata
        from ops.sync_logs""",
    )
    assert (log_id, user, entity, operation, count, status, done, error) == (
        result.sync_id,
        "ana",
        "chats",
        "incremental",
        3,
        "success",
        True,
        None,
    )
    assert {
        "source": "sandbox",
        "windows": 10,
        "windows_read": 10,
        "pages": 10,
        "new": 2,
        "quarantined": 1,
    }.items() <= metadata.items()
    assert rows(
        database_url,
        """
        select entity_type, sync_status, total_records, successful_records, failed_records, last_sync_offset,
               last_sync_timestamp is not null, sync_duration >= 0 from ops.sync_states""",
    ) == [("chats", "idle", 3, 2, 1, None, True, True)]


def test_a_window_that_does_not_add_up_makes_the_sync_partial_and_stays_unread(database_url: str) -> None:
    faults = FaultPlan(Fault(CHATS, envelope_says(total=5), times=4))
    with serving(ListedSource([chat("a")]), faults=faults) as sandbox, client_of(sandbox) as client:
        result = run(database_url, client)
        assert (result.status, result.windows_incomplete) == ("partial", ["created 2025-10-01"])
        assert rows(database_url, "select min(window_day) from ops.sync_windows") == [(date(2025, 10, 2),)]
        assert rows(database_url, "select chat_id from raw.b2chat_chats") == [("a",)]
        assert rows(database_url, "select status, metadata->>'reason' from ops.sync_logs") == [
            ("partial", "1 windows did not add up: created 2025-10-01")
        ]
        assert run(database_url, client).status == "success"
    assert rows(database_url, "select min(window_day) from ops.sync_windows") == [(START,)]


def test_a_second_writer_is_refused_and_told_who_holds_the_warehouse(database_url: str) -> None:
    with serving(ListedSource()) as sandbox, client_of(sandbox) as client:
        with writer(database_url, "sync chats (ana)"), pytest.raises(AlreadyRunning) as caught:
            run(database_url, client)
        assert caught.value.holder == "b2chat sync chats (ana)"
        assert "since 20" in str(caught.value)
        noted = rows(database_url, "select level, error_code, message, metadata, correlation_id from ops.error_logs")
        assert noted == [("warn", "AlreadyRunning", str(caught.value), {"asked": "sync chats (test)"}, None)]
        assert run(database_url, client).status == "success"


def test_the_sandbox_and_an_account_are_never_mixed(database_url: str) -> None:
    with connect(database_url) as conn:
        conn.execute("insert into ops.data_source values ('b2chat', 'https://api.b2chat.io', now(), 'b2chat')")
    with (
        serving(ListedSource([chat("a")])) as sandbox,
        client_of(sandbox) as client,
        pytest.raises(SourceMismatch, match=r"holds data of a B2Chat account .* but the sandbox answers"),
    ):
        run(database_url, client)
    assert rows(database_url, "select count(*) from raw.b2chat_chats") == [(0,)]
    assert rows(database_url, "select status, error_message like 'this warehouse holds%' from ops.sync_logs") == [
        ("error", True)
    ]


def test_the_quota_counts_across_processes_and_ends_a_sync_as_partial(database_url: str) -> None:
    def quota() -> PostgresQuota:
        return PostgresQuota(database_url, "b2chat", CLIENT_ID, 8, lambda: TODAY)

    source = ListedSource([chat(f"c{day}", f"2025-10-{day:02}") for day in range(1, 11)])
    with serving(source) as sandbox:
        with closing(quota()) as first, client_of(sandbox, quota=first) as client:
            result = run(database_url, client)
        assert (result.status, result.windows_read, len(days_asked(source))) == ("partial", 7, 7)
        assert "quota" in str(result.reason)
        with closing(quota()) as second, client_of(sandbox, quota=second) as client:
            assert run(database_url, client).status == "partial"
            with pytest.raises(QuotaExhausted):
                client.origin()
        assert days_asked(source) == []
        assert rows(database_url, "select account, usage_day, request_count from ops.api_usage") == [
            (CLIENT_ID, TODAY, 8)
        ]
        assert rows(database_url, "select sync_status from ops.sync_states") == [("paused",)]
        with (
            PostgresQuota(database_url, "b2chat", CLIENT_ID, 8, lambda: TODAY + timedelta(days=1)) as third,
            client_of(sandbox, quota=third) as client,
        ):
            run(database_url, client, lookback_days=0)
        assert days_asked(source) == [8, 9, 10]


def test_an_error_is_written_down_safely_and_what_landed_before_it_stays(database_url: str) -> None:
    faults = FaultPlan(Fault(CHATS, fails(500), nth=4, times=99))
    with (
        serving(ListedSource([chat("a")]), faults=faults) as sandbox,
        client_of(sandbox, max_attempts=2) as client,
        pytest.raises(TransientError),
    ):
        run(database_url, client)
    assert rows(database_url, "select status, error_message, record_count from ops.sync_logs") == [
        ("error", "GET /chats/export (created 2025-10-04, offset 0): HTTP 500 after 2 attempts", 1)
    ]
    assert rows(database_url, "select max(window_day) from ops.sync_windows") == [(date(2025, 10, 3),)]
    assert rows(database_url, "select sync_status from ops.sync_states") == [("error",)]


def test_wrong_credentials_are_an_error_in_the_books_too(database_url: str) -> None:
    with (
        serving(ListedSource()) as sandbox,
        B2ChatClient(sandbox.base_url, CLIENT_ID, "wrong") as client,
        pytest.raises(AuthenticationFailed),
    ):
        run(database_url, client)
    assert rows(database_url, "select status from ops.sync_logs") == [("error",)]


def test_what_postgres_says_of_a_row_does_not_get_out(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    with connect(database_url) as conn:
        conn.execute("alter table raw.b2chat_chats add check (payload->>'alias' is null)")
    with (
        serving(ListedSource([chat("a", alias="CANARY")])) as sandbox,
        client_of(sandbox) as client,
        caplog.at_level(logging.DEBUG, "dagster_project"),
        pytest.raises(WarehouseFailed) as caught,
    ):
        run(database_url, client)
    assert "CheckViolation (SQLSTATE 23514)" in str(caught.value)
    assert caught.value.__suppress_context__
    said = [str(caught.value), *(record.getMessage() for record in caplog.records)]
    said += [str(row) for row in rows(database_url, "select error_message, metadata from ops.sync_logs")]
    assert not [text for text in said if "CANARY" in text]


def test_progress_is_told_after_each_page(database_url: str) -> None:
    told: list[Progress] = []
    with serving(ListedSource([chat(f"c{n}") for n in range(3)])) as sandbox, client_of(sandbox, page_size=2) as client:
        run(database_url, client, on_progress=told.append, today=START)
    assert [(one.window_day, one.done_records, one.pages, one.windows_left) for one in told] == [
        (START, 2, 1, 1),
        (START, 3, 2, 1),
        (START, 3, 3, 1),
        (START, 3, 4, 0),
    ]  # each page is read twice
    assert told[-1].rate > 0


class Stop(Exception):
    """What a test stops a sync with."""


@pytest.mark.parametrize("how", ["raise", "terminate"])
@pytest.mark.parametrize("after_pages", range(1, 5))
def test_a_sync_broken_off_after_any_page_and_taken_up_again_equals_an_undisturbed_one(
    database_url: str, template_database: str, how: str, after_pages: int
) -> None:
    chats = [chat(f"c{n:02}", f"2025-10-{1 + n // 5:02}") for n in range(15)]
    source = ListedSource(chats, [contact(n) for n in range(9)])
    calm = _another_database(database_url, template_database)
    with serving(source) as sandbox, client_of(sandbox, page_size=2) as client:
        for entity in ("chats", "contacts"):
            run(calm, client, entity, today=date(2025, 10, 4))
            with pytest.raises((Stop, WarehouseFailed)):
                run(
                    database_url,
                    client,
                    entity,
                    today=date(2025, 10, 4),
                    on_progress=_stop(database_url, how, after_pages),
                )
            assert rows(database_url, f"select status from ops.sync_logs where entity_type = '{entity}'") == [
                ("error",)
            ]
            assert run(database_url, client, entity, today=date(2025, 10, 4)).status == "success"
    assert rows(database_url, RAW) == rows(calm, RAW)


def _stop(url: str, how: str, after_pages: int) -> Callable[[Progress], None]:
    def stop(progress: Progress) -> None:
        if progress.pages == after_pages:
            if how == "raise":
                raise Stop
            with connect(url, autocommit=True) as conn:
                conn.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity "
                    "where application_name like 'b2chat sync%' and datname = current_database()"
                )

    return stop


def _another_database(url: str, template: str) -> str:
    name = url.rsplit("/", 1)[1]
    with psycopg.connect(url.rsplit("/", 1)[0] + "/postgres", autocommit=True) as conn:
        conn.execute(f'drop database if exists "{name}_calm" with (force)')  # names of databases come again
        conn.execute(f'create database "{name}_calm" template "{template}"')
    return f"{url}_calm"


def test_a_broken_off_reading_of_all_contacts_goes_on_one_page_before_where_it_stopped(database_url: str) -> None:
    source = ListedSource(contacts=[contact(n) for n in range(10)])
    with serving(source) as sandbox, client_of(sandbox, page_size=2) as client:

        def stop(progress: Progress) -> None:
            if progress.pages == 3:
                # Contacts leave while nobody reads: those behind them move up.
                del source.records["contacts"][:2]
                raise Stop

        with pytest.raises(Stop):
            run(database_url, client, "contacts", on_progress=stop)
        source.queries.clear()
        run(database_url, client, "contacts", today=TODAY + timedelta(days=5))
    assert source.queries[0].offset == 4
    assert rows(database_url, "select count(*) from raw.b2chat_contacts") == [(10,)]
    # It counts up to the day on which its first part was read.
    assert rows(database_url, "select window_day from ops.sync_windows") == [(TODAY,)]


def test_a_killed_process_leaves_a_log_that_the_next_sync_closes(database_url: str) -> None:
    source = ListedSource([chat(f"c{day}", f"2025-10-{day:02}") for day in range(1, 11)])
    script = (
        "import sys, time; from datetime import date; from tests.support.syncing import sync_b2chat\n"
        "from dagster_project.sources.b2chat.client import B2ChatClient\n"
        "url, base, user, secret = sys.argv[1:]\n"
        "def wait(progress):\n"
        "    if progress.pages == 3: print('three', flush=True); time.sleep(60)\n"
        "with B2ChatClient(base, user, secret, requests_per_second=100) as client:\n"
        "    sync_b2chat(url, client, entity='chats', start_date=date(2025, 10, 1), today=date(2025, 10, 10),\n"
        "         on_progress=wait, triggered_by='victim')\n"
    )
    with serving(source) as sandbox, client_of(sandbox) as client:
        arguments = [sys.executable, "-c", script, database_url, sandbox.base_url, CLIENT_ID, SECRET]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE) as victim:
            assert victim.stdout is not None
            assert victim.stdout.readline() == b"three\n"
            with pytest.raises(AlreadyRunning, match="victim"):
                run(database_url, client)
            os.kill(victim.pid, signal.SIGKILL)
        assert rows(database_url, "select status, record_count from ops.sync_logs") == [("in_progress", 3)]
        assert days_asked(source) == [1, 2, 3, 4]  # the fourth was read ahead, and has not landed
        run(database_url, client, lookback_days=0)
        assert days_asked(source) == list(range(4, 11))
    assert rows(database_url, "select user_id, status, error_message from ops.sync_logs order by started_at") == [
        ("victim", "error", "did not finish"),
        ("test", "success", None),
    ]
    # Of the one that was killed there is no end: nobody saw it.
    audited = """
        select event_type, user_id, success, metadata ->> 'status', metadata ->> 'records' from ops.audit_logs
        where event_type like 'sync.%' order by "timestamp"
    """
    assert rows(database_url, audited) == [
        ("sync.start", "victim", True, None, None),
        ("sync.start", "test", True, None, None),
        ("sync.complete", "test", True, "success", "7"),
    ]
    assert rows(database_url, "select count(*) from raw.b2chat_chats") == [(10,)]


def test_load_ids_rise_and_each_row_knows_its_load(database_url: str) -> None:
    source = ListedSource([chat(f"c{n}", f"2025-10-0{1 + n}") for n in range(3)], [contact(1)])
    with serving(source) as sandbox, client_of(sandbox) as client:
        result = run(database_url, client)
        run(database_url, client, "contacts")
    assert rows(
        database_url,
        """
        select count(*), count(distinct load_id), max(load_id) <= max(l) from raw.b2chat_chats,
        (select max(load_id) l from ops.page_loads where entity_type = 'chats') top""",
    ) == [(3, 3, True)]
    assert (
        result.counts.last_load_id
        == rows(database_url, "select max(load_id) from ops.page_loads where entity_type = 'chats'")[0][0]
    )


def test_a_chat_query_is_never_descending(database_url: str) -> None:
    source = ListedSource([chat("a")])
    with serving(source) as sandbox, client_of(sandbox) as client:
        run(database_url, client)
    assert {query.descending for query in source.queries if isinstance(query, ChatQuery)} == {False}
