"""Whatever breaks in a sync, a sync after it ends where an undisturbed one does: nothing lost, nothing doubled.

Held elsewhere: single HTTP faults (unit/test_client_retries, test_client_tokens), moving records and lying envelopes
(unit/test_windows), hostile text in a landed page (test_landing), breaks after each page and two writers (test_sync).
"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Timer
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from dagster_project.ingestion.errors import WarehouseFailed
from dagster_project.ingestion.sync import SyncResult
from dagster_project.sources.b2chat.records import Entity
from dagster_project.sources.b2chat.sandbox.faults import (
    Fault,
    FaultPlan,
    cut_short,
    delayed,
    envelope_says,
    fails,
    html,
)
from dagster_project.sources.b2chat.sandbox.server import Sandbox
from dagster_project.sources.cleaning import clean
from dagster_project.warehouse import binaries, embedded, migrations
from dagster_project.warehouse.connection import connect
from tests.support.listed import CLIENT_ID, SECRET, ListedSource, chat, client_of, contact, serving
from tests.support.syncing import sync_b2chat

START, TODAY, PAGE = date(2025, 10, 1), date(2025, 10, 13), 50
CHATS = "/chats/export"
EVERYTHING = """
    select 'chat', chat_id, content_hash, payload::text, payload_bytes, cleaned::text, version, deleted_at is null
    from raw.b2chat_chats
    union all select 'contact', contact_id, content_hash, payload::text, payload_bytes, cleaned::text, version,
        deleted_at is null from raw.b2chat_contacts
    union all select 'chat version', chat_id, content_hash, payload::text, payload_bytes, cleaned::text, version, null
    from raw.b2chat_chat_versions
    union all select 'contact version', contact_id, content_hash, payload::text, payload_bytes, cleaned::text, version,
        null from raw.b2chat_contact_versions
    union all select 'quarantine', entity_type, content_hash, concat_ws(' ', record_key, rule, window_from, window_to,
        page_offset), payload_bytes, null, position, resolved_at is null from raw.quarantine
    union all select 'window', entity_type, window_day::text, null, null, null, record_count, null
    from ops.sync_windows
    order by 1, 2, 3, 4
"""
VICTIM = """
import sys; from datetime import date
from dagster_project.sources.b2chat.client import B2ChatClient
from tests.support.syncing import sync_b2chat
url, base, user, secret, entity, start, today, page = sys.argv[1:]
with B2ChatClient(base, user, secret, requests_per_second=1000, page_size=int(page)) as client:
    sync_b2chat(url, client, entity=entity, mode="full", start_date=date.fromisoformat(start),
         today=date.fromisoformat(today), triggered_by="victim")
"""


def run(url: str, sandbox: Sandbox, entity: Entity = "chats", **options: Any) -> SyncResult:
    defaults: dict[str, Any] = {"start_date": START, "today": TODAY, "mode": "full", "triggered_by": "test"}
    client = {name: options.pop(name) for name in ("timeout_seconds",) if name in options}
    with client_of(sandbox, page_size=PAGE, **client) as session:
        return sync_b2chat(url, session, entity=entity, **(defaults | options))


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with connect(url, autocommit=True) as conn:
        return conn.execute(query).fetchall()


def copy_of(url: str, name: str) -> str:
    server, template = url.rsplit("/", 1)
    with psycopg.connect(f"{server}/postgres", autocommit=True) as conn:
        conn.execute(f'create database "{template}_{name}" template "{template}"')
    return f"{server}/{template}_{name}"


# The account that is disturbed: 2,000 chats of 12 days and 600 contacts, a fifth of them changed since they were read.


def old_records() -> ListedSource:
    chats: list[Any] = [
        chat(f"c{n:04}", f"2025-10-{1 + n // 170:02}", status="OPENED", alias=f"line {n % 7}") for n in range(2000)
    ]
    for n in range(0, 2000, 400):
        chats[n + 1] |= {"alias": "a\0b", "messages": [{"created_at": "2025-10-01 09:00:00", "body": "\ud83d"}]}
        chats[n + 2] |= {"messages": [{"body": "no time"}]}
        chats[n + 3] |= {"closed_at": "soon"}
    return ListedSource(chats, [contact(n) for n in range(600)])


def new_records(source: ListedSource) -> ListedSource:
    changed = deepcopy(source)
    for one in changed.records["chats"][::5]:
        one["status"] = "CLOSED"
    for one in changed.records["contacts"][::5]:
        one["fullname"] += " Nueva"
    return changed


@dataclass
class Account:
    """What a disturbed sync starts from, and where it has to end."""

    source: ListedSource
    sandbox: Sandbox
    before: str
    after: dict[Entity, list[tuple[Any, ...]]]
    requests: dict[Entity, int]


@contextmanager
def account(url: str) -> Iterator[Account]:
    source = old_records()
    with serving(source) as sandbox:
        for entity in ("chats", "contacts"):
            run(url, sandbox, entity)
        source.records = new_records(source).records
        made = Account(source, sandbox, url, {}, {})
        for entity in ("chats", "contacts"):
            calm = copy_of(url, f"calm_{entity}")
            source.queries.clear()
            assert run(calm, sandbox, entity).counts.changed == len(source.records[entity][::5])
            made.after[entity], made.requests[entity] = rows(calm, EVERYTHING), len(source.queries)
        yield made


@pytest.fixture(scope="module")
def disturbed(new_database: Callable[[], str]) -> Iterator[Account]:
    with account(new_database()) as made:
        yield made


def wait_until_gone(url: str) -> None:
    """Wait until nothing listens at a server's port: one that is still dying would keep the next from it."""
    port = urlsplit(url).port
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.05)


def at_request(source: ListedSource, number: int, delay: float, strike: Callable[[], None]) -> None:
    """Strike once, `delay` seconds after the n-th page was asked for (from 1)."""

    def count() -> None:
        if len(source.queries) == number:
            Timer(delay, strike).start() if delay else strike()

    source.queries.clear()
    source.before_answer = count


POINTS = [
    (entity, number, chance.choice([0, round(chance.uniform(0.001, 0.02), 3)]))
    for chance in [random.Random(20251001)]
    for entity, count, last in [("chats", 16, 48), ("contacts", 4, 12)]
    for number in sorted(chance.sample(range(1, last), count))
]


@pytest.mark.parametrize(("entity", "number", "delay"), POINTS)
def test_a_sync_killed_anywhere_is_taken_up_and_ends_like_an_undisturbed_one(
    disturbed: Account, entity: Entity, number: int, delay: float
) -> None:
    url = copy_of(disturbed.before, f"kill_{entity}_{number}")
    arguments = [
        sys.executable,
        "-c",
        VICTIM,
        url,
        disturbed.sandbox.base_url,
        CLIENT_ID,
        SECRET,
        entity,
        str(START),
        str(TODAY),
        str(PAGE),
    ]
    with subprocess.Popen(arguments) as victim:
        at_request(disturbed.source, number, delay, lambda: os.kill(victim.pid, signal.SIGKILL))
        assert victim.wait(30) == -signal.SIGKILL
    disturbed.source.before_answer = lambda: None
    assert run(url, disturbed.sandbox, entity).status == "success"
    assert rows(url, EVERYTHING) == disturbed.after[entity]
    # One that was under way, the last one that had landed, and today's, which is never read for good.
    assert len(disturbed.source.queries) <= disturbed.requests[entity] + 3
    assert rows(url, "select count(*) from ops.sync_checkpoints where status = 'active'") == [(0,)]
    assert rows(url, "select error_code from ops.error_logs where level = 'error'") == [("DidNotFinish",)]


def test_a_postgres_that_dies_five_times_costs_nothing_that_was_landed(new_folder: Callable[[], str]) -> None:
    folder = Path(new_folder()) / "pg"
    postmaster = folder / binaries.find(None).major / "postmaster.pid"
    chance = random.Random(5)
    with embedded.running(folder) as url:
        migrations.upgrade(url)
        with account(url) as disturbed:
            for number in sorted(chance.sample(range(2, 48), 5)):
                copy = copy_of(url, f"crash_{number}")
                server = int(postmaster.read_text().split()[0])
                at_request(
                    disturbed.source,
                    number,
                    chance.uniform(0, 0.01),
                    lambda server=server: os.kill(server, signal.SIGQUIT),
                )  # type: ignore[misc]
                with pytest.raises(WarehouseFailed):
                    run(copy, disturbed.sandbox)
                disturbed.source.before_answer = lambda: None
                wait_until_gone(url)
                with embedded.running(folder) as again:
                    assert again == url
                    assert run(copy, disturbed.sandbox).status == "success"
                    assert rows(copy, EVERYTHING) == disturbed.after["chats"]


def test_a_storm_of_faults_ends_like_an_undisturbed_sync(disturbed: Account) -> None:
    url, first = copy_of(disturbed.before, "storm"), disturbed.sandbox.requests[CHATS] + 1
    storm = [
        (1, fails(429, retry_after=7), 5),
        (8, fails(500), 3),
        (12, html(), 2),
        (15, cut_short(), 2),
        (18, delayed(1.2), 1),
        (20, fails(401), 1),
        (22, envelope_says(exported=3), 30),
        (25, fails(503), 1),
        (30, fails(429), 4),
    ]
    disturbed.sandbox.faults = FaultPlan(*(Fault(CHATS, change, first + nth, times) for nth, change, times in storm))
    try:
        assert run(url, disturbed.sandbox, timeout_seconds=0.6).status == "success"
    finally:
        disturbed.sandbox.faults = FaultPlan()
    assert rows(url, EVERYTHING) == disturbed.after["chats"]
    assert rows(url, "select count(*) from ops.error_logs where level <> 'warn'") == [(0,)]


def test_records_that_move_and_double_while_paging_are_all_landed_once(database_url: str) -> None:
    source = ListedSource([chat(f"c{n:03}") for n in range(3 * PAGE)])

    def move() -> None:
        listed = source.records["chats"]
        if len(source.queries) == 2:  # two leave behind the reader: the next page begins two too late
            del listed[3:5]
        if len(source.queries) == 3:  # one comes in before the reader, another comes twice in a page
            listed.insert(0, chat("late"))
            listed.insert(2 * PAGE + 5, deepcopy(listed[2 * PAGE + 4]))

    source.before_answer = move
    with serving(source) as sandbox:
        # One that stays double may stand in the place of another: the total counts a record that is not among them.
        assert run(database_url, sandbox, today=START).status == "partial"
        del source.records["chats"][2 * PAGE + 5]
        assert run(database_url, sandbox, today=START).status == "success"
    expected = sorted({one["chat_id"] for one in source.records["chats"]} | {"c003", "c004"})
    assert rows(database_url, "select array_agg(chat_id order by chat_id), max(version) from raw.b2chat_chats") == [
        (expected, 1)
    ]
    assert rows(database_url, "select chat_id from raw.b2chat_chats where deleted_at is not null order by 1") == [
        ("c003",),
        ("c004",),
    ]


@pytest.mark.parametrize("our_hours_ahead", [1, -1])
def test_a_clock_that_is_an_hour_off_at_midnight_loses_no_chat(database_url: str, our_hours_ahead: int) -> None:
    theirs = datetime(2025, 10, 10, 23, 30) if our_hours_ahead > 0 else datetime(2025, 10, 11, 0, 30)  # noqa: DTZ001
    ours = theirs + timedelta(hours=our_hours_ahead)
    source = ListedSource([chat("before", "2025-10-10")])
    if our_hours_ahead < 0:
        source.records["chats"].append(chat("ahead", "2025-10-11"))
    with serving(source) as sandbox:
        run(database_url, sandbox, today=ours.date(), mode="incremental")
        source.records["chats"].insert(1, chat("last of the day", "2025-10-10"))
        for day in (11, 12):
            run(database_url, sandbox, today=date(2025, 10, day), mode="incremental")
    assert {key for (key,) in rows(database_url, "select chat_id from raw.b2chat_chats")} == {
        one["chat_id"] for one in source.records["chats"]
    }


@pytest.mark.parametrize(
    ("day", "times"),
    [
        (date(2026, 9, 6), ["00:00:00", "00:30:00", "01:00:00"]),  # Santiago: the hour from midnight does not exist
        (date(2026, 4, 4), ["23:30:00", "23:30:00", "23:59:59"]),
    ],
)  # and here it comes twice
def test_a_change_of_summer_time_leaves_landing_alone(database_url: str, day: date, times: list[str]) -> None:
    listed = [chat(f"c{n}", str(day), created_at=f"{day} {time}") for n, time in enumerate(times)]
    with serving(ListedSource(listed)) as sandbox:
        result = run(database_url, sandbox, start_date=day - timedelta(days=1), today=day + timedelta(days=1))
    assert (result.status, result.counts.new, result.windows_read) == ("success", 3, 3)
    assert [
        payload for (payload,) in rows(database_url, "select payload from raw.b2chat_chats order by chat_id")
    ] == listed


def test_hostile_content_crosses_the_wire_and_lands_whole(database_url: str) -> None:
    texts = [
        "'; drop table raw.b2chat_chats cascade; --",
        "=cmd|'/c calc'!A1",
        "@SUM(1)",
        "\t+1",
        '"\r\n",,',
        "\u202e‮👩‍👩‍👧",
        "nul \0",
        "half \ud800 pair",
        "x" * 100_000,
        "\\u0000",
        "%s %(a)s {0} $1",
    ]
    messages = [{"created_at": "2025-10-01 09:00:00", "body": texts[n % 8], "type": "TEXT"} for n in range(10_000)]
    listed = [chat("long", messages=messages)] + [
        chat(f"t{n}", alias=text[:500], messages=[messages[0] | {"body": text}]) for n, text in enumerate(texts)
    ]
    with serving(ListedSource(listed)) as sandbox:
        result = run(database_url, sandbox, today=START)
    assert (result.status, result.counts.new, result.counts.quarantined) == ("success", 12, 0)
    landed = dict(rows(database_url, "select chat_id, payload from raw.b2chat_chats"))
    assert landed == {one["chat_id"]: clean(one)[0] for one in listed}
    exact = dict(
        rows(database_url, "select chat_id, payload_bytes from raw.b2chat_chats where payload_bytes is not null")
    )
    assert {key: json.loads(data) for key, data in exact.items()} == {
        one["chat_id"]: one for one in listed if clean(one)[1]
    }
    [(answer, data)] = rows(database_url, "select raw_response, raw_bytes from ops.api_response_logs")
    assert answer["chats"] == [clean(one)[0] for one in listed]
    assert json.loads(data)["chats"] == listed
