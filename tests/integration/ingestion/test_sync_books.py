"""The books of a sync: checkpoints, whole answers, errors, and the status that sums them up."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from dagster_project.ingestion.errors import StarterRefused
from dagster_project.ingestion.logs.response_log import drop_old_responses
from dagster_project.ingestion.quota import PostgresQuota
from dagster_project.ingestion.status import sync_status
from dagster_project.ingestion.sync import SyncResult
from dagster_project.sources.b2chat.entities import B2CHAT
from dagster_project.sources.b2chat.errors import TransientError
from dagster_project.sources.b2chat.sandbox.faults import Fault, FaultPlan, fails
from dagster_project.sources.b2chat.sandbox.server import Sandbox
from dagster_project.sources.b2chat_audit.entities import B2CHAT_AUDIT
from dagster_project.warehouse.access import users
from dagster_project.warehouse.connection import connect
from tests.support.listed import CLIENT_ID, ListedSource, chat, client_of, contact, serving
from tests.support.syncing import sync_b2chat

DAY = date(2025, 10, 1)


@pytest.fixture
def conn(database_url: str) -> Iterator[psycopg.Connection]:
    with connect(database_url, autocommit=True) as connection:
        yield connection


def run(url: str, sandbox: Sandbox, entity: Any = "chats", **options: Any) -> SyncResult:
    defaults: dict[str, Any] = {"start_date": DAY, "today": DAY, "triggered_by": "test"}
    client = {name: options.pop(name) for name in ("quota", "max_attempts") if name in options}
    with client_of(sandbox, page_size=2, **client) as session:
        return sync_b2chat(url, session, entity=entity, **(defaults | options))


def rows(conn: psycopg.Connection, query: str) -> list[tuple[Any, ...]]:
    return conn.execute(query).fetchall()  # type: ignore[arg-type]


def failing_at(number: int, times: int = 1) -> FaultPlan:
    return FaultPlan(Fault("/chats/export", fails(500), nth=number, times=times))


def test_a_checkpoint_follows_its_window_and_lists_what_could_not_be_read(
    conn: psycopg.Connection, database_url: str
) -> None:
    listed = [chat("a"), chat("bad", closed_at="CANARY"), chat("c"), chat("d", messages=["CANARY"]), chat("e")]
    checkpoints = """
        select split_part(checkpoint, ' after', 1), status, processed_records, successful_records, failed_records,
               total_records, completed_at is not null from ops.sync_checkpoints order by created_at
    """
    with serving(ListedSource(listed), faults=failing_at(3)) as sandbox:
        with pytest.raises(TransientError):
            run(database_url, sandbox, max_attempts=1)
        assert rows(conn, checkpoints) == [("created 2025-10-01 offset 4", "active", 4, 3, 1, 5, False)]
        assert rows(conn, "select failure_details from ops.sync_checkpoints") == [
            (
                [
                    {"entity": "chats", "id": "bad", "rule": "time_unreadable"},
                    {"entity": "message", "id": "d", "rule": "message_not_an_object"},
                ],
            )
        ]
        run(database_url, sandbox)
    assert rows(conn, checkpoints) == [
        ("created 2025-10-01 offset 4", "failed", 4, 3, 1, 5, False),
        ("created 2025-10-01 offset 5", "completed", 5, 4, 1, 5, True),
    ]


def test_whole_answers_are_kept_in_partitions_that_are_dropped_when_old(
    conn: psycopg.Connection, database_url: str
) -> None:
    with serving(ListedSource([chat("a"), chat("b", alias="nul \0"), chat("c")])) as sandbox:
        result = run(database_url, sandbox)
        run(database_url, sandbox, keep_responses=False)
    [whole, second] = rows(
        conn,
        """
        select sync_id, endpoint, request_params, raw_response, raw_bytes, response_size, record_count,
               abs(extract(epoch from now() - api_timestamp)) < 60, created_at >= api_timestamp
        from ops.api_response_logs order by created_at""",
    )
    asked = {"limit": 2, "offset": 0, "order_dir": "asc", "date_range_from": str(DAY), "date_range_to": str(DAY)}
    assert whole[:3] == (result.sync_id, "/chats/export", asked)
    assert [one["alias"] for one in whole[3]["chats"] if "alias" in one] == ["nul \ufffd"]
    assert json.loads(whole[4])["chats"][1]["alias"] == "nul \0"
    assert whole[5:] == (len(whole[4]), 2, True, True)
    assert (second[3]["total"], second[3]["trace_id"] > "", second[4]) == (3, True, None)
    sizes = "select octet_length(raw_response::text) = response_size from ops.api_response_logs order by created_at"
    assert rows(conn, sizes) == [(False,), (True,)]  # as it came, to the byte, where nothing had to be cleaned
    assert drop_old_responses(conn, 0) == []
    conn.execute(
        "create table ops.api_response_logs_20200101 partition of ops.api_response_logs "
        "for values from ('2020-01-01 00:00+00') to ('2020-01-02 00:00+00')"
    )
    assert drop_old_responses(conn, 30) == ["api_response_logs_20200101"]
    assert rows(conn, "select count(*) from ops.api_response_logs") == [(2,)]


def test_errors_and_warnings_are_logged_without_any_content(conn: psycopg.Connection, database_url: str) -> None:
    with serving(ListedSource([chat("a", closed_at="CANARY"), chat("b")]), faults=failing_at(3, times=3)) as sandbox:
        run(database_url, sandbox)
        with pytest.raises(TransientError):
            run(database_url, sandbox, max_attempts=3)
    warning, error = rows(
        conn,
        """
        select level, error_code, e.source, message, e.metadata, stack_trace, correlation_id = l.id
        from ops.error_logs e join ops.sync_logs l on l.id = e.correlation_id order by timestamp""",
    )
    assert warning[:4] == ("warn", "Quarantined", "sync", "records or messages could not be read")
    assert (warning[4]["records"], warning[4]["messages"]) == (1, 0)
    assert error[:4] == (
        "error",
        "TransientError",
        "sync",
        "GET /chats/export (created 2025-10-01, offset 0): HTTP 500 after 3 attempts",
    )
    assert error[4]["attempts"] == 3
    assert rows(
        conn, "select event_type, success from ops.audit_logs where resource like 'sync:%' order by timestamp"
    ) == [
        ("sync.start", True),
        ("sync.complete", True),
        ("sync.start", True),
        ("sync.complete", False),
    ]
    assert error[5].splitlines()[-1].startswith("dagster_project/sources/b2chat/client.py:")
    assert "CANARY" not in str([warning, error])


def test_a_bad_record_warns_when_it_is_new_and_not_each_time_that_it_is_read(
    conn: psycopg.Connection, database_url: str
) -> None:
    listed = [chat("a", closed_at="soon"), chat("b", messages=["odd"])]
    source, warnings = ListedSource(listed), "select metadata -> 'new' from ops.error_logs order by timestamp"
    with serving(source) as sandbox:
        for _ in range(3):
            run(database_url, sandbox)
        assert rows(conn, warnings) == [(2,)]
        source.records["chats"] = [chat("a"), *listed[1:], chat("c", closed_at="later")]
        run(database_url, sandbox)
        assert rows(conn, warnings) == [(2,), (1,)]
        source.records["chats"] = [listed[0], *source.records["chats"][1:]]  # resolved, and bad once more
        run(database_url, sandbox)
        assert rows(conn, warnings) == [(2,), (1,), (1,)]


def test_a_manager_or_a_disabled_user_starts_no_sync(conn: psycopg.Connection, database_url: str) -> None:
    users.add(conn, "eva@acme.co", "Manager")
    users.add(conn, "rob@acme.co", "Admin")
    users.change(conn, "rob", disabled=True)
    with serving(ListedSource([chat("a")])) as sandbox:
        for who in ("eva", "rob"):
            with pytest.raises(StarterRefused, match=f"{who} may not start a sync"):
                run(database_url, sandbox, triggered_by=who)
        users.change(conn, "rob", disabled=False)
        run(database_url, sandbox, triggered_by="rob")
    assert rows(conn, "select user_id, status from ops.sync_logs") == [("rob", "success")]


def test_a_mass_deletion_is_applied_once_somebody_confirms_it_and_the_books_say_who(
    conn: psycopg.Connection, database_url: str
) -> None:
    source = ListedSource([chat(str(number)) for number in range(25)])
    gone = "select count(*) from raw.b2chat_chats where deleted_at is not null"
    told = """
        select user_id, metadata -> 'errors' is not null, metadata -> 'confirmed_deletions', metadata ->> 'deleted'
        from ops.sync_logs order by started_at offset 1
    """
    with serving(source) as sandbox:
        run(database_url, sandbox)
        source.records["chats"] = source.records["chats"][:2]
        run(database_url, sandbox)
        assert rows(conn, gone) == [(0,)]
        run(database_url, sandbox, confirm_deletions=True)
        assert rows(conn, gone) == [(23,)]
        run(database_url, sandbox)
    confirmed = [{"window": f"created {DAY}", "missing": 23, "known": 25}]
    assert rows(conn, told) == [("test", True, None, "0"), ("test", False, confirmed, "23"), ("test", False, None, "0")]


def test_one_query_tells_the_state_of_each_entity(conn: psycopg.Connection, database_url: str) -> None:
    assert [(one.entity, one.state, one.lag) for one in sync_status(conn, [B2CHAT, B2CHAT_AUDIT], DAY)] == [
        ("chats", "never", None),
        ("contacts", "never", None),
    ]
    listed = [chat("a", closed_at="soon"), chat("b"), chat("c")]
    with (
        serving(ListedSource(listed, [contact(1)]), faults=failing_at(2)) as sandbox,
        PostgresQuota(database_url, "b2chat", CLIENT_ID, 100, lambda: DAY) as quota,
    ):
        run(database_url, sandbox, "contacts", quota=quota)
        with pytest.raises(TransientError):
            run(database_url, sandbox, quota=quota, max_attempts=1)
    chats, contacts = sync_status(conn, [B2CHAT, B2CHAT_AUDIT], DAY)
    assert (chats.state, chats.last_success_at, chats.last_sync_status, chats.open_checkpoints, chats.quarantined) == (
        "error",
        None,
        "error",
        1,
        1,
    )
    assert "HTTP 500" in str(chats.last_error)
    assert (contacts.state, contacts.last_sync_status, contacts.last_error, contacts.data_through) == (
        "idle",
        "success",
        None,
        DAY,
    )
    assert contacts.lag is not None and contacts.lag < timedelta(minutes=1)
    assert contacts.last_success_at is not None and contacts.last_success_at < datetime.now(UTC)
    # Two tokens, and three pages: of contacts one, of chats two.
    assert (chats.quota_used, quota.left()) == (5, 95)
