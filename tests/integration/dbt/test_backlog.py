"""Traffic and backlog of random chats against plain counting in Python, before and after they change.

New York sets its clocks back on 2025-11-02, when many of the chats are open.
"""

import itertools
import random
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from dagster_project.orchestration.builds.last_build import last_good
from tests.support import forked_dbt, oracle
from tests.support.listed import AGENT, ListedSource, message, serving
from tests.support.world import World

ZONE = ZoneInfo("America/New_York")
BEA = {"username": "bea", "name": "Bea Dos"}
STATES = ("open", "waiting_for_pickup", "waiting_for_answer")  # of an hour; a day has stale, too
AGES = {
    "under_1h_count": (0, 1), "from_1h_to_4h_count": (1, 4), "from_4h_to_1d_count": (4, 24),
    "from_1d_to_3d_count": (24, 72), "from_3d_to_7d_count": (72, 168), "over_7d_count": (168, float("inf")),
}


class NewYork(World):
    """Builds what this file asks, in another zone."""

    def build(self) -> None:
        selected = ("+backlog_hourly", "+backlog_daily", "+conversation_traffic_heatmap")
        arguments = ("--exclude-resource-type", "unit_test", "--indirect-selection", "cautious")
        done = self.dbt("build", *arguments, "--select", *selected)
        assert done.returncode == 0, done.stdout[-4000:]

    def dbt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return forked_dbt.run(self.url, *arguments, B2CHAT_TIMEZONE=ZONE.key)


class Observed:
    """What the marts said, and what plain Python says of the same records, at one time."""

    def __init__(self, world: World, before: dict[str, list[dict[str, Any]]]) -> None:
        chats = world.source.records["chats"]
        agents = {"all": chats, "ana": [chat for chat in chats if (chat["agent"] or {}).get("username") == "ana"]}
        versions = {name: [[*before.get(chat["chat_id"], []), chat] for chat in some] for name, some in agents.items()}
        (as_of,) = (row["at"] for row in world.ask("select max(loaded_at) as at from ops.page_loads"))
        first = datetime(2025, 9, 22, 4, tzinfo=UTC)  # a midnight in New York
        hours = [first + timedelta(hours=number) for number in range(int((as_of - first).total_seconds() // 3600) + 1)]
        midnights = [hour for hour in hours if hour.astimezone(ZONE).hour == 0]
        self.hours = world.ask("select * from marts.backlog_hourly where scope_id in ('all', 'ana')")
        self.days = world.ask("select * from marts.backlog_daily where scope_id in ('all', 'ana')")
        self.expected_flows = {name: oracle.opened_and_closed(some, ZONE) for name, some in versions.items()}
        self.traffic = world.ask(
            "select * from marts.conversation_traffic_heatmap where scope_id in ('all', 'ana') "
            "and week_start between '2025-09-15' and '2025-10-06'")
        self.last_hour = hours[-1]
        self.expected_hours = {name: oracle.backlog(some, ZONE, hours) for name, some in versions.items()}
        self.expected_days = {name: oracle.backlog(some, ZONE, midnights) for name, some in versions.items()}
        self.expected_traffic = {name: oracle.traffic(some) for name, some in agents.items()}


@pytest.fixture(scope="module")
def world(new_database: Callable[[], str]) -> Iterator[World]:
    with serving(ListedSource(chats())) as sandbox:
        yield NewYork(new_database(), sandbox)


@pytest.fixture(scope="module")
def told(world: World) -> tuple[Observed, Observed]:
    """Before and after a sync that changed a third of the chats."""
    world.sync()
    world.build()
    before = Observed(world, {})
    seen = {chat["chat_id"]: [dict(chat)] for chat in world.source.records["chats"]}
    change(world.source.records["chats"])
    world.sync()
    world.build()
    return before, Observed(world, seen)


@pytest.fixture(params=[0, 1], ids=["first", "changed"])
def observed(request: pytest.FixtureRequest, told: tuple[Observed, Observed]) -> Observed:
    return told[request.param]


def test_each_hours_backlog_is_the_chats_that_plain_python_counts(observed: Observed) -> None:
    for name, expected in observed.expected_hours.items():
        found = {
            (row["hour_at"], state): row[f"{state}_count"]
            for row in observed.hours for state in STATES if row["scope_id"] == name and row[f"{state}_count"]
        }
        assert len(found) > 500
        assert found == {key: len(ages) for key, ages in expected.items() if key[1] in STATES}


def test_what_opened_and_closed_in_an_hour_stands_with_that_hour(observed: Observed) -> None:
    for name, expected in observed.expected_flows.items():
        found = {
            (row["hour_at"], flow): row[f"{flow}_count"]
            for row in observed.hours for flow in ("opened", "closed")
            if row["scope_id"] == name and row[f"{flow}_count"]
        }
        assert len(found) > 50
        assert found == expected


def test_a_day_ends_with_the_backlog_that_the_next_one_begins_with(observed: Observed) -> None:
    for name, expected in observed.expected_days.items():
        days = {(row["local_date"], row["state"]): row for row in observed.days if row["scope_id"] == name}
        last = max(day for day, _ in days)
        midnights = {(key[0].astimezone(ZONE).date(), key[1]): len(ages) for key, ages in expected.items()}
        ends = {(day + timedelta(days=1), state): row["end_chat_count"]
                for (day, state), row in days.items() if row["end_chat_count"] and day < last}
        assert ends == midnights
        assert {"stale", *STATES} == {state for _, state in midnights}
    everything = [row for row in observed.days if row["scope"] == "all"]
    flows = Counter[tuple[date, str]]()
    for (hour, flow), count in observed.expected_flows["all"].items():
        flows[hour.astimezone(ZONE).date(), flow] += count
    assert {(row["local_date"], flow): row[f"{flow}_count"] for row in everything for flow in ("opened", "closed")
            if row["state"] == "open" and row[f"{flow}_count"]} == flows


def test_all_chats_have_a_row_for_each_hour_to_the_newest_load_and_none_after_it(observed: Observed) -> None:
    hours = sorted(row["hour_at"] for row in observed.hours if row["scope"] == "all")
    assert hours[-1] == observed.last_hour
    assert {later - earlier for earlier, later in itertools.pairwise(hours)} == {timedelta(hours=1)}


def test_each_midnights_backlog_has_the_ages_that_plain_python_counts(observed: Observed) -> None:
    for name, expected in observed.expected_days.items():
        found = {
            (datetime.combine(row["local_date"], datetime.min.time(), ZONE).astimezone(UTC), row["state"]): [
                row["chat_count"], *(row[age] for age in AGES)]
            for row in observed.days if row["scope_id"] == name and row["chat_count"]
        }
        assert len(found) > 50
        assert found == {
            key: [len(ages), *(sum(low <= age < high for age in ages) for low, high in AGES.values())]
            for key, ages in expected.items()
        }


def test_each_cells_traffic_is_the_chats_and_messages_of_its_hour(observed: Observed) -> None:
    for name, expected in observed.expected_traffic.items():
        rows = [row for row in observed.traffic if row["scope_id"] == name]
        assert len(rows) % 168 == 0
        assert {
            (row["cell_date"], row["hour"]): [row["chat_count"], row["incoming_chat_count"], row["message_count"],
                                              row["incoming_message_count"]]
            for row in rows if row["chat_count"] + row["message_count"]
        } == {
            key: counts for key, counts in expected.items() if key[0] < date(2025, 10, 13) and any(counts)
        }


@pytest.mark.usefixtures("told")
def test_a_build_with_nothing_new_writes_no_backlog_and_no_traffic(world: World) -> None:
    def written() -> list[Any]:
        return [
            world.ask(f"select max(xmin::text::bigint), count(*) from intermediate.{table}")
            for table in (
                "int_backlog_intervals",
                "int_backlog_hours",
                "int_backlog_days",
                "int_chat_traffic",
                "int_traffic_cells",
            )
        ]

    before = written()
    world.build()
    assert written() == before


@pytest.mark.usefixtures("told")
def test_a_chat_that_stood_open_for_a_year_writes_the_day_it_ends_and_no_day_before(world: World) -> None:
    """Nor is a row stored for an hour in which nothing happened, however long a chat stands open."""
    hours, days = "intermediate.int_backlog_hours", "intermediate.int_backlog_days"

    def stored() -> set[Any]:
        keys = {hours: "local_date, scope, scope_id, hour_at::text", days: "local_date, scope, scope_id, state"}
        return {
            (table, *row.values())
            for table, key in keys.items() for row in world.ask(f"select {key}, xmin::text from {table}")
        }

    endless = next(chat for chat in world.source.records["chats"]
                   if chat["status"] == "PICKED_UP" and chat["opened_at"] and not chat["closed_at"])
    before = stored()
    endless.update(status="CLOSED", closed_at=text(datetime.now(UTC).astimezone(ZONE)))
    world.sync()
    world.build()
    written = {row[1] for row in before ^ stored()}
    assert date.today() - min(written) <= timedelta(days=1)  # noqa: DTZ011  the zone's day or the one before
    assert world.ask(f"select from {hours} where scope <> 'all' and local_date > '2025-12-31' and local_date < %s "
                     "and opened_count + closed_count + became_stale_count + returned_count = 0",
                     min(written)) == []


@pytest.mark.usefixtures("told")
def test_a_chat_becomes_stale_by_time_alone_and_a_refresh_without_news_notices_it(world: World) -> None:
    """Nothing of the chat is read or written then: that it will be stale was known beforehand."""
    intervals = {"resource_type": "model", "schema": "intermediate", "alias": "int_backlog_intervals",
              "config": {"meta": {"falls_due": "left_at"}}}

    def is_good() -> bool:
        with psycopg.connect(world.url) as conn:
            last = last_good(conn, [intervals], project="p", zone=ZONE.key)
            return last is not None and last.is_current

    def stale() -> tuple[list[Any], list[Any]]:
        return (world.ask("select chat_count, end_chat_count, became_stale_count from marts.backlog_daily "
                          "where scope = 'all' and state = 'stale' order by local_date desc limit 1"),
                world.ask("select max(xmin::text::bigint), count(*) from intermediate.int_backlog_intervals"))

    last_word = datetime.now(UTC) - timedelta(days=30) + timedelta(minutes=10)
    at = text(last_word.astimezone(ZONE))
    assert at
    world.source.records["chats"].append(random_chat(1) | {
        "chat_id": "silent", "status": "PICKED_UP", "created_at": "2025-10-08 10:00:00",
        "opened_at": "2025-10-08 10:00:00", "picked_up_at": "2025-10-08 10:05:00", "responded_at": None,
        "closed_at": None, "messages": [message(at, incoming=True)]})
    world.sync()
    world.build()
    before, written = stale()
    with psycopg.connect(world.url) as conn:
        conn.execute("update ops.last_build set project = 'p', has_all_versions = true")
    assert is_good()
    with psycopg.connect(world.url) as conn:  # a sync that finds nothing, a quarter of an hour later
        conn.execute("""
            insert into ops.page_loads (
                sync_id, source, entity_type, page_offset, record_count, new_count, changed_count, unchanged_count,
                quarantined_count, response_bytes, request_ms, loaded_at)
            select 's', 'b2chat', 'chats', 0, 1, 0, 0, 1, 0, 1, 1, max(loaded_at) + interval '15 minutes' from ops.page_loads""")
    assert not is_good()
    world.build()
    after, written_after = stale()
    assert written_after == written
    assert after[0]["end_chat_count"] == before[0]["end_chat_count"] + 1


def chats() -> list[dict[str, Any]]:
    return [random_chat(number) for number in range(150)]


def change(records: list[dict[str, Any]]) -> None:
    """A third of the chats close, open again, go to another agent, lose or get messages; some come new."""
    for number, record in enumerate(records):
        dice = random.Random(f"change {number}")
        if dice.random() < 1 / 3:
            kind = dice.choice(["close", "reopen", "agent", "silence", "new"])
            if kind == "close":
                record |= {"status": "CLOSED", "closed_at": f"2025-11-{dice.randint(3, 20):02} 09:30:00"}
            elif kind == "reopen":
                record |= {"status": "PICKED_UP"}
            elif kind == "agent":
                record |= {"agent": dice.choice([AGENT, BEA, None])}
            elif kind == "silence":
                record |= {"messages": record["messages"][:-1]}
            else:
                record |= random_chat(1000 + number) | {"chat_id": record["chat_id"]}
    records += [random_chat(number) for number in range(2000, 2020)]


def random_chat(number: int) -> dict[str, Any]:
    dice = random.Random(number)

    def later(start: datetime, hours: float, missing: float) -> datetime | None:
        """Some time after another, often on the full hour; never in the hour that comes twice."""
        if dice.random() < missing:
            return None
        moment = start + timedelta(seconds=int(dice.random() ** 3 * hours * 3600))
        if dice.random() < 0.2:
            moment = moment.replace(minute=0, second=0) + timedelta(hours=1)
        return moment + timedelta(hours=2) if (moment.date(), moment.hour) == (date(2025, 11, 2), 1) else moment

    created = datetime(2025, 9, 22) + timedelta(seconds=dice.randrange(18 * 86400))  # noqa: DTZ001  local by nature
    opened = later(created, 5, 0.05)
    picked_up = opened and later(opened, 60, 0.1)
    closed = opened and later(opened, 24 * 50, 0.2)
    messages = []
    at = created - timedelta(minutes=5)
    for _ in range(dice.randrange(8)):
        at = later(at, 30, 0) or at
        messages.append(message(text(at), incoming=dice.random() < 0.6, broadcasted=dice.random() < 0.1))
    return {
        "chat_id": f"chat-{number}",
        "created_at": text(created),
        "opened_at": text(opened),
        "picked_up_at": text(picked_up),
        "responded_at": text(picked_up and later(picked_up, 3, 0.3)),
        "closed_at": text(closed),
        "status": "CLOSED" if closed or dice.random() < 0.1 else dice.choice(["OPENED", "PICKED_UP", "BOT_CHATTING"]),
        "agent": dice.choice([AGENT, BEA, None]),
        "department": dice.choice(["Ventas", "Cartera", None]),
        "provider": dice.choice(["WHATSAPPB2CHAT", "LIVECHAT"]),
        "messages": messages,
    }


def text(moment: datetime | None) -> str | None:
    return moment and f"{moment:%Y-%m-%d %H:%M:%S}"
