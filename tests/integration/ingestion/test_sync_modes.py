"""What each mode of a sync reads, and what it leaves alone."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from dagster_project.ingestion.sync import Progress, SyncResult
from dagster_project.sources.b2chat.errors import TransientError
from dagster_project.sources.b2chat.sandbox.faults import Fault, FaultPlan, fails
from dagster_project.sources.b2chat.sandbox.server import Sandbox
from dagster_project.sources.b2chat.sandbox.source import ContactQuery
from dagster_project.warehouse.connection import connect
from tests.support.listed import ListedSource, chat, client_of, contact, serving
from tests.support.syncing import sync_b2chat

START, TODAY = date(2025, 10, 1), date(2025, 10, 10)


@pytest.fixture
def source() -> ListedSource:
    return ListedSource(
        [chat(f"c{day:02}", f"2025-10-{day:02}") for day in range(1, 11)], [contact(n) for n in range(4)]
    )


@pytest.fixture
def sandbox(source: ListedSource) -> Iterator[Sandbox]:
    with serving(source) as running:
        yield running


@pytest.fixture
def run(database_url: str, sandbox: Sandbox, source: ListedSource) -> Callable[..., SyncResult]:
    def run(entity: Any = "chats", **options: Any) -> SyncResult:
        source.queries.clear()
        defaults: dict[str, Any] = {"start_date": START, "today": TODAY, "lookback_days": 1, "triggered_by": "test"}
        with client_of(sandbox, page_size=2, max_attempts=1) as client:
            return sync_b2chat(database_url, client, entity=entity, **(defaults | options))

    return run


def do(url: str, statement: str) -> list[tuple[Any, ...]]:
    with connect(url, autocommit=True) as conn:
        cursor = conn.execute(statement)
        return cursor.fetchall() if cursor.description else []


def days_asked(source: ListedSource) -> list[str]:
    return list(dict.fromkeys(f"{query.created.first:%m-%d}" for query in source.queries if query.created.first))


def test_a_backfill_reads_its_days_even_before_the_start_and_does_not_count_as_up_to_date(
    database_url: str, run: Callable[..., SyncResult], source: ListedSource
) -> None:
    result = run(mode="backfill", day_from=date(2025, 9, 29), day_to=date(2025, 10, 2))
    assert (result.status, days_asked(source)) == ("success", ["09-29", "09-30", "10-01", "10-02"])
    assert do(database_url, "select last_sync_timestamp, sync_status from ops.sync_states") == [(None, "idle")]
    run()
    assert days_asked(source) == [f"10-{day:02}" for day in range(3, 11)]
    [(before,)] = do(database_url, "select last_sync_timestamp from ops.sync_states")
    run(mode="backfill", day_from=START, day_to=START)
    assert do(database_url, "select last_sync_timestamp from ops.sync_states") == [(before,)]


@pytest.mark.parametrize(
    "options",
    [
        {"mode": "backfill"},
        {"day_from": START, "day_to": START},
        {"mode": "backfill", "day_from": TODAY, "day_to": START},
        {"mode": "backfill", "day_from": START, "day_to": TODAY + timedelta(days=1)},
    ],
)
def test_days_that_do_not_fit_are_refused(run: Callable[..., SyncResult], options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="day_from"):
        run(**options)


def test_a_sweep_reads_all_of_its_days_again(run: Callable[..., SyncResult], source: ListedSource) -> None:
    run()
    source.records["chats"][6] |= {"alias": "retagged after it was closed"}
    assert run().counts.changed == 0
    assert run(mode="sweep", sweep_days=4).counts.changed == 1
    assert days_asked(source) == ["10-06", "10-07", "10-08", "10-09", "10-10"]


def test_an_incremental_sync_reads_each_day_of_the_sweep_that_was_not_read_for_a_day(
    database_url: str, run: Callable[..., SyncResult], source: ListedSource
) -> None:
    run()
    run()
    assert days_asked(source) == ["10-09", "10-10"]
    do(database_url, "update ops.sync_windows set read_at = now() - interval '25 h' where window_day <= '2025-10-07'")
    run(sweep_days=6)
    assert days_asked(source) == ["10-04", "10-05", "10-06", "10-07", "10-09", "10-10"]
    run(sweep_days=6)
    assert days_asked(source) == ["10-09", "10-10"]


@pytest.mark.parametrize(
    "asked", [{"mode": "full"}, {"mode": "sweep"}, {"mode": "backfill", "day_from": START, "day_to": date(2025, 10, 9)}]
)
def test_a_long_reading_that_failed_goes_on_where_it_was_and_the_next_one_reads_all_again(
    run: Callable[..., SyncResult], source: ListedSource, sandbox: Sandbox, asked: dict[str, Any]
) -> None:
    run()
    sandbox.faults = FaultPlan(Fault("/chats/export", fails(500), nth=sandbox.requests["/chats/export"] + 5))
    with pytest.raises(TransientError):
        run(**asked)
    run(**asked)
    assert days_asked(source)[:2] == ["10-05", "10-06"]
    run(**asked)
    assert days_asked(source)[:2] == ["10-01", "10-02"]


def test_a_refresh_asks_four_times_for_a_day_of_just_over_a_page_and_twice_for_contacts(
    run: Callable[..., SyncResult], source: ListedSource
) -> None:
    source.records["chats"] = [chat(f"c{day:02}{n}", f"2025-10-{day:02}") for day in range(1, 11) for n in range(3)]
    for entity in ("chats", "contacts"):
        run(entity)
    run()
    assert (days_asked(source), len(source.queries)) == (["10-09", "10-10"], 8)
    run("contacts")
    assert len(source.queries) == 2


def test_a_full_reading_that_came_to_its_end_but_did_not_add_up_is_not_taken_up_by_the_next(
    run: Callable[..., SyncResult], source: ListedSource
) -> None:
    source.records["chats"].append(chat("c05", "2025-10-05"))  # comes twice, and counts twice
    assert run(mode="full").windows_incomplete == ["created 2025-10-05"]
    source.records["chats"].append(chat("late", "2025-10-02"))
    assert run(mode="full").counts.new == 1


def test_all_contacts_are_read_again_when_the_last_such_reading_is_a_week_old(
    database_url: str, run: Callable[..., SyncResult], source: ListedSource
) -> None:
    def reads_all() -> bool:
        return not any(query.created or query.updated for query in source.queries if isinstance(query, ContactQuery))

    run("contacts")
    assert reads_all()
    do(database_url, "update ops.sync_checkpoints set completed_at = now() - interval '6 days'")
    run("contacts")
    assert not reads_all()
    do(database_url, "update ops.sync_checkpoints set completed_at = now() - interval '8 days'")
    run("contacts")
    assert reads_all()
    run("contacts")
    assert not reads_all()
    run("contacts", mode="full")
    assert reads_all()


def test_contacts_that_never_add_up_are_not_all_read_again_by_each_sync(
    database_url: str, run: Callable[..., SyncResult], source: ListedSource
) -> None:
    source.records["contacts"].append(contact(3))  # comes twice, and counts twice
    first = run("contacts")
    assert (first.status, first.windows_incomplete, len(source.queries)) == ("partial", ["all"], 6)
    source.records["contacts"].append(contact(9, created="2025-10-10 08:00:00"))
    assert (run("contacts").counts.new, len(source.queries)) == (1, 2)
    do(database_url, "update ops.sync_checkpoints set completed_at = completed_at - interval '25 hours'")
    assert run("contacts").windows_incomplete == ["all"]


def test_progress_tells_what_is_left(run: Callable[..., SyncResult], source: ListedSource) -> None:
    source.records["chats"] += [chat(f"d{n}", "2025-10-10") for n in range(2)]
    told: list[Progress] = []
    result = run(start_date=date(2025, 10, 9), on_progress=told.append)
    assert [(one.windows_left, one.windows_total, one.done_records) for one in told] == [
        (1, 2, 1),
        (1, 2, 3),
        (1, 2, 4),
        (1, 2, 4),
        (0, 2, 4),
    ]
    assert told[0].seconds_left > 0 and told[-1].seconds_left == 0
    assert (told[-1].quota_left, result.quota_left) == (None, None)
