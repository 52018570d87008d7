"""Agents' days, occupancy, coverage and contacts against plain Python, on random chats and on the real conversations.

Two syncs: in the second some chats went on, changed hands, were opened again or are gone. What the incremental build
makes of it must be what Python makes of it, and what a full build makes of it.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from tests.support import performance_oracle as oracle
from tests.support.listed import ListedSource, chat, serving
from tests.support.oracle import MOMENTS, People, local, week_start
from tests.support.world import World

AGENTS = [{"email": f"{key}@example.test", "name": key.title(), "username": key} for key in ("ana", "bea", "eva")]
FIRST, LAST = date(2025, 9, 22), date(2025, 10, 10)
FIRST_SEEN = datetime(2025, 10, 4, 12)  # noqa: DTZ001  local by nature; when the first sync saw the chats
PERFORMANCE = ("path:models/marts/performance", "response_times_daily")
ROWS_ONLY = ("--exclude-resource-type", "unit_test", "test")
MARTS = [
    "agent_daily", "department_daily", "channel_daily", "source_daily", "account_daily", "agent_occupancy", "team_coverage",
    "contact_activity", "survey_daily", "broadcast_daily", "bot_daily", "chat_tags", "tag_daily",
]
Versions = dict[str, list[oracle.Chat]]


@pytest.fixture(scope="module")
def versions(conversations_file: Path) -> Versions:
    """Each chat as the first sync saw it and, where it changed, as the second did; an empty last one is gone."""
    source = random.Random(8)
    first = {one["chat_id"]: one for one in [*_random_chats(source, 250), *_whole_chats(conversations_file)]}
    changed = {key: _changed(source, first[key]) for key in list(first)[:250:3]}
    return {key: [one] + ([changed[key]] if key in changed else []) for key, one in first.items()}


@pytest.fixture(scope="module")
def world(new_database: Callable[[], str], versions: Versions) -> Iterator[World]:
    with serving(ListedSource([chat for chat, *_ in versions.values()])) as sandbox:
        made = World(new_database(), sandbox)
        made.sync()
        with psycopg.connect(made.url) as conn:
            conn.execute("update raw.b2chat_chats set loaded_at = %s", [FIRST_SEEN.replace(tzinfo=ZoneInfo("America/Bogota"))])
        done = made.dbt("build", "--select", *(f"+{one}" for one in PERFORMANCE), *ROWS_ONLY)
        assert done.returncode == 0, done.stdout[-4000:]
        made.source.records["chats"] = [seen[-1] for seen in versions.values() if seen[-1]]
        made.sync()
        made.run(*PERFORMANCE)
        yield made


@pytest.fixture(scope="module")
def activity(versions: Versions) -> dict[str, list[oracle.Span]]:
    """When whom was at work on each chat."""
    return {key: oracle.activity(seen, FIRST_SEEN) for key, seen in versions.items() if seen[-1]}


@pytest.fixture(scope="module")
def newest(versions: Versions) -> list[oracle.Chat]:
    return [seen[-1] for seen in versions.values() if seen[-1]]


def test_an_agents_day_is_the_work_that_plain_python_finds_between_all_events(
    world: World, activity: dict[str, list[oracle.Span]]
) -> None:
    spans = [span for of_chat in activity.values() for span in of_chat]
    expected = {}
    for agent in {span.agent for span in spans}:
        own = [span for span in spans if span.agent == agent]
        for offset in range(40):
            start, end = oracle.day(FIRST + timedelta(days=offset))
            found = oracle.load(own, start, end)
            if found.active:
                chats = {key for key, of_chat in activity.items() for span in of_chat
                         if span.agent == agent and span.start < end and span.end > start}
                expected[agent, start.date()] = (*found, len(chats))
    assert len(expected) > 60
    rows = world.ask(
        "select * from marts.agent_daily where active_seconds > 0 and local_date >= %s and local_date < %s",
        FIRST, FIRST + timedelta(days=40))
    assert {
        (row["agent_id"], row["local_date"]):
            (row["active_seconds"], row["active_chat_seconds"], row["peak_concurrent_chats"], row["active_chat_count"])
        for row in rows
    } == expected


def test_having_open_chats_is_no_work(world: World, versions: Versions) -> None:
    """Some chats lie open for ever; nobody works on them a quarter of an hour after the last thing that happened."""
    last = max(local(moment) or datetime.min for seen in versions.values() if seen[-1] for version in seen  # noqa: DTZ901
               for moment in (*(version[f"{name}_at"] for name in MOMENTS),
                              *(sent["created_at"] for sent in version["messages"])))
    assert any(not seen[-1]["closed_at"] for seen in versions.values() if seen[-1] and seen[-1]["picked_up_at"])
    end = last + timedelta(minutes=15)
    assert world.ask("select * from marts.agent_daily where local_date > %s and active_seconds > 0", end.date()) == []
    months = world.ask("select max(month_start) as month from marts.team_coverage")
    assert months == [{"month": end.date().replace(day=1)}]


def test_occupancy_and_coverage_are_the_hours_of_work_by_weekday(
    world: World, activity: dict[str, list[oracle.Span]]
) -> None:
    first, last = date(2025, 10, 1), date(2025, 10, 31)
    spans = [span for of_chat in activity.values() for span in of_chat]
    expected: dict[tuple[str, int, int], tuple[int, int]] = {}
    coverage: Counter[tuple[str, int, int]] = Counter()
    for agent in {span.agent for span in spans}:
        own = [span for span in spans if span.agent == agent]
        for cell, seconds in oracle.occupied(own, first, last).items():
            expected[agent, *cell] = seconds
            coverage["all", *cell] += seconds[0]
        for department in {span.department for span in own}:
            theirs = [span for span in own if span.department == department]
            for cell, seconds in oracle.occupied(theirs, first, last).items():
                coverage[department, *cell] += seconds[0]
    rows = world.ask("select * from marts.agent_occupancy where month_start = %s", first)
    assert {(row["agent_id"], row["day_of_week"], row["hour"]): (row["active_seconds"], row["active_chat_seconds"])
            for row in rows} == expected
    assert {row["passed_seconds"] for row in rows if row["day_of_week"] in (3, 4, 5)} == {5 * 3600}
    assert {row["passed_seconds"] for row in rows if row["day_of_week"] in (0, 1, 2, 6)} <= {4 * 3600}
    rows = world.ask("select * from marts.team_coverage where month_start = %s", first)
    assert {(row["department_id"], row["day_of_week"], row["hour"]): row["agent_active_seconds"]
            for row in rows} == coverage
    assert all(row["mean_active_agents"] == row["agent_active_seconds"] / row["passed_seconds"] for row in rows)


def test_a_contact_is_resolved_when_no_other_chat_follows_in_a_week(world: World, newest: list[oracle.Chat]) -> None:
    rows = world.ask("select * from marts.contact_activity")
    assert {
        row["contact_id"]: (row["chat_count"], row["closed_chat_count"], row["resolved_chat_count"]) for row in rows
    } == oracle.contact_activity(newest)


def test_reports_count_the_same_chats_whichever_way_they_are_cut(world: World, newest: list[oracle.Chat]) -> None:
    totals = {
        mart: {row["local_date"]: row for row in world.ask(
            "select local_date, sum(chat_count)::integer as chats, sum(closed_chat_count)::integer as closed, "
            "sum(incoming_message_count + outgoing_message_count)::integer as messages, "
            f"sum(reply_count)::integer as replies from marts.{mart} group by 1")}
        for mart in ("agent_daily", "department_daily", "channel_daily", "source_daily", "account_daily")
    }
    assert totals["department_daily"] == totals["channel_daily"] == totals["source_daily"] == totals["account_daily"]

    def counted(mart: str, measure: str) -> dict[date, int]:
        return {day: row[measure] for day, row in totals[mart].items() if row[measure]}

    assert counted("account_daily", "chats") == Counter(_day(one["created_at"]) for one in newest)
    assert counted("agent_daily", "chats") == Counter(_day(one["created_at"]) for one in newest if oracle.agent(one))
    assert counted("account_daily", "closed") == Counter(_day(one["closed_at"]) for one in newest if one["closed_at"])
    assert counted("account_daily", "messages") == Counter(
        _day(sent["created_at"]) for one in newest for sent in one["messages"])
    assert counted("agent_daily", "replies") == counted("account_daily", "replies")


def test_an_agents_times_are_those_of_the_response_time_rollup(world: World) -> None:
    rollup = world.ask(
        "select period_start as day, scope_id as agent, metric, count, sum_seconds, p90_seconds "
        "from marts.response_times_daily where scope = 'agent' and clock = 'wall' "
        "and metric in ('pickup', 'reply') order by 1, 2, 3")
    assert len(rollup) > 50
    assert rollup == world.ask(
        "select local_date as day, agent_id as agent, figures.* from marts.agent_daily cross join lateral (values "
        "('pickup', pickup_count, sum_pickup_seconds, p90_pickup_seconds), "
        "('reply', reply_count, sum_reply_seconds, p90_reply_seconds)"
        ") as figures (metric, count, sum_seconds, p90_seconds) where count > 0 order by 1, 2, 3")


def test_a_transfer_leaves_one_agent_and_reaches_another_and_nobody_twice(world: World, versions: Versions) -> None:
    came, went = Counter[str](), Counter[str]()
    for seen in versions.values():
        before, after = oracle.agent(seen[0]), oracle.agent(seen[-1])
        if before and after and before != after:
            went[before] += 1
            came[after] += 1
    assert sum(came.values()) > 5
    rows = world.ask(
        "select agent_id, sum(transfer_in_count)::integer as came, sum(transfer_out_count)::integer as went "
        "from marts.agent_daily group by 1")
    assert {row["agent_id"]: row["came"] for row in rows if row["came"]} == came
    assert {row["agent_id"]: row["went"] for row in rows if row["went"]} == went


def test_an_incremental_build_of_the_performance_marts_equals_a_full_one(world: World) -> None:
    incremental = {mart: _sorted(world.ask(f"select * from marts.{mart}")) for mart in MARTS}
    world.run(*PERFORMANCE, full_refresh=True)
    for mart in MARTS:
        assert _sorted(world.ask(f"select * from marts.{mart}")) == incremental[mart], mart


def _day(moment: str) -> date:
    return datetime.strptime(moment, "%Y-%m-%d %H:%M:%S").date()  # noqa: DTZ007  local by nature


def _sorted(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(repr(row) for row in rows)


def _random_chats(source: random.Random, count: int) -> Iterator[oracle.Chat]:
    """Chats that overlap, touch, cross midnight, lie open for ever, have no agent, department or contact."""
    grid = [datetime.combine(FIRST, datetime.min.time()) + timedelta(minutes=30 * step) for step in range(18 * 48)]
    for number in range(count):
        created = source.choice(grid)
        opened = created + timedelta(minutes=source.choice((0, 0, 3)))
        picked_up = opened + timedelta(minutes=source.choice((0, 27, 30, 500)))
        closed = picked_up + timedelta(minutes=source.choice((0, 30, 30, 90, 1440, 9000)))
        status = source.choice(("CLOSED",) * 6 + ("COMPLETED_POLL", "ABANDONED_POLL", "COMPLETING_POLL", "PICKED_UP",
                                "RESPONDED_BY_AGENT", "OPENED", "BOT_CHATTING"))
        held = status not in ("OPENED", "BOT_CHATTING")
        ended = held and status not in People.OPEN
        wrote = source.random() < 0.5
        yield chat(
            f"random-{number}", created_at=str(created), status=status,
            opened_at=str(opened) if status != "BOT_CHATTING" else None,
            picked_up_at=str(picked_up) if held else None, responded_at=str(picked_up) if held else None,
            closed_at=str(closed) if ended else None, agent=source.choice(AGENTS) if held else None,
            department=source.choice((None, "Ventas", "Cartera")),
            provider=source.choice(("WHATSAPPB2CHAT", "LIVECHAT")),
            contact={"id": source.randint(1, 40), "name": "Cliente"} if source.random() < 0.9 else None,
            tags=source.choice(([], ["VIP"], ["vip ", "Crédito"])),
            messages=[_message(created, incoming=True), _message(picked_up, incoming=False)] if wrote else [],
        )


def _message(at: datetime, *, incoming: bool) -> dict[str, Any]:
    return {"body": "hola", "broadcasted": False, "caption": None, "created_at": str(at), "incoming": incoming,
            "location": None, "type": "TEXT"}


def _changed(source: random.Random, before: oracle.Chat) -> oracle.Chat:
    """A chat as a later sync sees it."""
    later = local(before["closed_at"] or before["picked_up_at"] or before["created_at"])
    assert later
    moment = str(later + timedelta(hours=5))
    other = source.choice(AGENTS)
    return source.choice((
        {},
        before | {"status": "CLOSED", "agent": before["agent"] or other, "opened_at": before["opened_at"] or moment,
                  "picked_up_at": before["picked_up_at"] or moment, "closed_at": moment},
        before | {"agent": other, "picked_up_at": before["picked_up_at"] or moment, "department": "Ventas"},
        before | {"agent": other, "status": "PICKED_UP", "picked_up_at": moment, "closed_at": None},
        before | {"status": "OPENED", "closed_at": None},
        before | {"contact": {"id": 41, "name": "Otro"}, "messages": before["messages"][:1]},
    ))


def _whole_chats(file: Path) -> Iterator[oracle.Chat]:
    """The conversations of a file, each moved by whole weeks into the days that are read."""
    names = ("created_at", "opened_at", "picked_up_at", "responded_at", "closed_at")
    for one in json.loads(file.read_bytes())["chats"]:
        by = week_start(datetime(2025, 9, 22)) - week_start(local(one["created_at"]))  # type: ignore[arg-type]  # noqa: DTZ001

        def moved(record: dict[str, Any], *keys: str, by: timedelta = by) -> dict[str, Any]:
            return record | {key: str(local(record[key]) + by) for key in keys if record[key]}  # type: ignore[operator]

        yield moved(one, *names) | {"messages": [moved(sent, "created_at") for sent in one["messages"]]}
