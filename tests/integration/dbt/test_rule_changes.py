"""Hours, holidays and targets that change judge anew the chats they concern, and no others.

The dated seeds are changed in their tables, as loading an edited file does; that their checksums are no longer those of
the last change is what the build then sees. A Tuesday, 2025-09-30, becomes a holiday.
"""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from dagster_project.ingestion.single_writer import writer
from tests.support.listed import ListedSource, chat, serving
from tests.support.world import World

BUILT = ["+sla_daily", "sla_breaches"]
RUSH = {"opened_at": "09:00:00", "picked_up_at": "09:01:00", "responded_at": "09:02:00", "closed_at": "10:00:00"}


def _chat(key: str, day: str, **fields: Any) -> dict[str, Any]:
    message = {"body": "hola", "broadcasted": False, "caption": None, "created_at": f"{day} 09:00:00", "incoming": True,
               "location": None, "type": "TEXT"}
    times = {name: f"{day} {clock}" for name, clock in RUSH.items()}
    return chat(key, day=day, provider="WHATSAPPB2CHAT", messages=[message]) | times | fields


CHATS = [
    _chat("monday", "2025-09-29"),
    _chat("tuesday", "2025-09-30"),
    _chat("wednesday", "2025-10-01"),
    # Closed on Monday evening in time; its deadline by business time lies on Tuesday.
    _chat("deadline-on-tuesday", "2025-09-29", opened_at="2025-09-29 17:30:00", picked_up_at="2025-09-29 17:31:00",
          responded_at="2025-09-29 17:31:30", closed_at="2025-09-29 17:50:00"),
    _chat("over-tuesday", "2025-09-29", closed_at="2025-10-01 09:00:00"),
]


@pytest.fixture(scope="module")
def world(new_database: Callable[[], str]) -> Iterator[World]:
    with serving(ListedSource(list(CHATS))) as sandbox:
        made = World(new_database(), sandbox)
        made.sync()
        _build(made)
        yield made


def _build(world: World) -> None:
    done = world.dbt(
        "build", "--select", *BUILT, "--exclude-resource-type", "unit_test", "--exclude-resource-type", "test"
    )
    assert done.returncode == 0, done.stdout[-4000:]


def _change(world: World, statement: str) -> None:
    with psycopg.connect(world.url) as conn:
        conn.execute(statement)
        conn.execute("update ops.calendar_and_target_versions set content_hash = 'other ones'")


def _times(world: World) -> dict[str, dict[str, Any]]:
    return {row["chat_id"]: row for row in world.ask("select * from marts.chat_response_times")}


def _judged(world: World, metric: str) -> dict[str, dict[str, Any]]:
    return {row["chat_id"]: row for row in world.ask("select * from marts.sla_chats where metric = %s", metric)}


def test_a_holiday_or_a_target_judges_anew_the_chats_it_concerns_and_no_others(world: World) -> None:
    assert len(world.ask("select 1 from marts.sla_chats")) == 5 * len(CHATS)
    times, resolution = _times(world), _judged(world, "resolution")
    assert times["over-tuesday"]["resolution_business_seconds"] == (9 + 10 + 1) * 3600
    assert times["tuesday"]["is_office_hours"]

    _change(world, "insert into intermediate.holidays values ('default', '2025-09-30', 'prueba')")
    _build(world)
    after, resolution_after = _times(world), _judged(world, "resolution")
    assert {key for key in after if after[key] != times[key]} == {"tuesday", "over-tuesday"}
    assert after["over-tuesday"]["resolution_business_seconds"] == (9 + 1) * 3600
    assert (after["tuesday"]["resolution_business_seconds"], after["tuesday"]["is_office_hours"]) == (0, False)
    assert {key for key in after if resolution_after[key] != resolution[key]} == {
        "tuesday", "over-tuesday", "deadline-on-tuesday",
    }
    assert resolution_after["deadline-on-tuesday"]["business_due_at"].isoformat() == "2025-10-01T14:30:00+00:00"

    _change(world, """
        insert into intermediate.sla_targets (metric, target_seconds, goal, is_enabled, valid_from)
        values ('first_response', 60, 0.95, true, '2025-10-01')
    """)
    _build(world)
    assert _times(world) == after
    first_response = _judged(world, "first_response")
    assert {key: row["target_seconds"] for key, row in first_response.items()} == {
        "monday": 300, "tuesday": 300, "wednesday": 60, "deadline-on-tuesday": 300, "over-tuesday": 300,
    }
    assert (first_response["wednesday"]["wall_state"], first_response["tuesday"]["wall_state"]) == ("breached", "met")
    rates = world.ask("""
        select local_date::text as date, rate from marts.sla_daily
        where scope = 'all' and metric = 'first_response' and clock = 'wall' order by local_date
    """)
    assert rates == [
        {"date": "2025-09-29", "rate": 1.0}, {"date": "2025-09-30", "rate": 1.0}, {"date": "2025-10-01", "rate": 0.0},
    ]

    tables = ("marts.chat_response_times", "marts.sla_chats", "intermediate.int_sla_days")
    incremental = [_without_loads(world, table) for table in tables]
    with psycopg.connect(world.url) as conn:
        conn.execute("truncate ops.build_watermarks")
        conn.execute("drop schema core, marts cascade")
    _build(world)
    assert [_without_loads(world, table) for table in tables] == incremental


def test_a_priority_has_a_target_of_its_own_and_a_chat_that_gets_one_is_judged_by_it(world: World) -> None:
    _change(world, """
        insert into intermediate.sla_targets (metric, priority, target_seconds, goal, is_enabled)
        values ('pickup', 'urgent', 30, 0.95, true)
    """)
    (tuesday,) = (one for one in world.source.records["chats"] if one["chat_id"] == "tuesday")
    tuesday["priority"] = " URGENT"
    world.sync()
    _build(world)
    pickup = _judged(world, "pickup")
    assert {key: (row["target_seconds"], row["wall_state"]) for key, row in pickup.items()} == dict.fromkeys(
        pickup, (120, "met")
    ) | {"tuesday": (30, "breached")}


def test_a_change_of_rules_waits_for_the_build_after_a_sync_that_is_writing(world: World) -> None:
    _change(world, "delete from intermediate.holidays where holiday_date = '2025-12-25'")
    loads = "select load_id from ops.calendar_and_target_versions order by 1"
    before = world.ask(loads)
    with writer(world.url, "a sync"):
        assert world.dbt("seed").returncode == 0
    assert world.ask(loads) == before
    assert world.dbt("seed").returncode == 0
    assert len(world.ask(loads)) == len(before) + 1


def _without_loads(world: World, table: str) -> set[str]:
    rows = world.ask(f"select to_jsonb(t) - 'load_id' as row from {table} as t")
    return {repr(sorted(row["row"].items())) for row in rows}
