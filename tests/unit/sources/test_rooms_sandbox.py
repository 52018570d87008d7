"""The made-up firm's rooms: the same from the same parameters, every life among them, with books that tell any past."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from dagster_project.sources.rooms.events import apply
from dagster_project.sources.rooms.ledger import ImpossibleChange, Ledger
from dagster_project.sources.rooms.sandbox.firm import Firm
from dagster_project.sources.rooms.sandbox.generator import RoomsSandbox
from dagster_project.sources.rooms.steps import Event
from dagster_project.sources.rooms.tables import TABLES

FIRM = Firm(first_day=date(2026, 3, 2), days=400)  # a Monday
DAY = timedelta(days=1)
BEGINNING = datetime(2026, 3, 2, 5, tzinfo=UTC)  # its midnight in Bogota
UNTIL = BEGINNING + 40 * DAY


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return RoomsSandbox(FIRM).events(UNTIL)


@pytest.fixture(scope="module")
def ledger(events: list[Event]) -> Ledger:
    return folded(events)


def folded(events: list[Event]) -> Ledger:
    ledger = Ledger()
    for event in events:
        assert apply(ledger, event)
    return ledger


def rows(ledger: Ledger, table: str) -> list[dict[str, Any]]:
    return list(ledger.rows[table].values())


def test_the_same_parameters_make_the_same_events_and_another_seed_others(events: list[Event]) -> None:
    assert RoomsSandbox(FIRM).events(UNTIL) == events
    other = RoomsSandbox(Firm(FIRM.first_day, FIRM.days, seed=8)).events(UNTIL)
    ids = [{event.fields["id"] for event in made if event.kind == "message_posted"} for made in (events, other)]
    assert ids[0].isdisjoint(ids[1])


@pytest.mark.parametrize("days", [0.3, 32.7])
def test_two_halves_of_a_time_hold_what_the_whole_holds(events: list[Event], days: float) -> None:
    sandbox, between = RoomsSandbox(FIRM), BEGINNING + timedelta(days=days)
    assert sandbox.events(between) + sandbox.events(UNTIL, after=between) == events


def test_years_later_a_day_costs_the_weeks_before_it_and_not_all_years() -> None:
    old = RoomsSandbox(Firm(date(2020, 1, 6), days=5000))
    lives = Counter[str]()
    made = old._support.life
    old._support.life = lambda number: lives.update(["life"]) or made(number)  # type: ignore[method-assign,func-returns-value]
    assert len(old.events(UNTIL, after=UNTIL - DAY)) > 100
    assert lives["life"] < 46 * FIRM.rooms_per_day * 1.4


def test_every_life_of_a_support_room_occurs(ledger: Ledger) -> None:
    support = [room for room in rows(ledger, "chat_rooms") if room["room_type"] == "support"]
    assert 300 < len(support) < 500
    robots = {user["id"] for user in rows(ledger, "users") if user["account_type_informal"] == "robot"}
    handed_over = {row["message_id"] for row in rows(ledger, "robot_interactions") if row["is_handover"]}
    spoke, people_spoke, lives = {}, set(), Counter[str]()
    for message in rows(ledger, "messages"):
        if message["sender_id"] in robots:
            spoke[message["room_id"]] = message["sender_id"]
        elif ledger.rows["users"][(message["sender_id"],)]["account_type_informal"] == "agent":
            people_spoke.add(message["room_id"])
        if message["id"] in handed_over:
            lives["handed over"] += 1
    outcomes = {room: row["outcome"] for (room,), row in ledger.rows["conversation_conclusions"].items()}
    for room in support:
        identity, outcome = room["id"], outcomes.get(room["id"])
        by_robot = identity in spoke and identity not in people_spoke
        lives["contained"] += by_robot and outcome == "resolved"
        lives["lapsed"] += by_robot and outcome == "abandoned"
        lives["by people alone"] += identity not in spoke and identity in people_spoke
        lives["abandoned"] += identity not in spoke and identity not in people_spoke and outcome == "abandoned"
        lives["escalated"] += outcome == "escalated"
        lives["never ends"] += room["status"] == "active" and room["created_at"] < UNTIL - 20 * DAY
        lives["archived"] += room["status"] == "archived"
    wanted = {
        "handed over": 80,
        "contained": 60,
        "lapsed": 10,
        "by people alone": 60,
        "abandoned": 2,
        "escalated": 30,
        "never ends": 2,
        "archived": 10,
    }
    assert {life: lives[life] for life, least in wanted.items() if lives[life] < least} == {}
    assert set(spoke.values()) == robots and len({row["robot_id"] for row in rows(ledger, "robot_interactions")}) == 2
    with_customers = {
        room["id"] for room in rows(ledger, "chat_rooms") if room["room_type"] in ("support", "escalated")
    }
    said = sum(message["room_id"] in with_customers for message in rows(ledger, "messages"))
    assert said / len(support) == pytest.approx(20, abs=3)


def test_escalations_go_up_skip_come_back_are_called_off_and_stay_open(ledger: Ledger) -> None:
    levels = ("T1", "T2", "T3", "manager")
    seen = Counter[str]()
    for one in rows(ledger, "escalations"):
        step = levels.index(one["to_level"]) - levels.index(one["from_level"])
        seen["up" if step == 1 else "skips" if step > 1 else "down"] += 1
        seen[one["status"]] += 1
        seen["in the same room" if one["target_room_id"] is None else "in its own room"] += 1
        seen[f"reaches {one['to_level']}"] += 1
        assert (one["status"] == "resolved") == (one["resolved_at"] is not None)
    wanted = ("up", "skips", "down", "resolved", "cancelled", "in_progress", "assigned", "in the same room")
    assert min(seen[name] for name in (*wanted, "in its own room", "reaches T2", "reaches T3", "reaches manager")) > 0
    roots = {room["root_room_id"] for room in rows(ledger, "chat_rooms") if room["parent_room_id"]}
    assert all(ledger.rows["chat_rooms"][(root,)]["parent_room_id"] is None for root in roots)


def test_what_else_happens_in_rooms_happens(events: list[Event], ledger: Ledger) -> None:
    kinds = Counter(event.kind for event in events)
    often = (
        "message_edited",
        "message_deleted",
        "message_purged",
        "file_attached",
        "file_deleted",
        "presence_changed",
        "room_viewed",
        "room_reopened",
        "participant_left",
        "participant_removed",
        "user_changed",
        "user_deleted",
        "robot_finished",
        "role_ended",
    )
    assert [kind for kind in often if not kinds[kind]] == []
    assert {room["room_type"] for room in rows(ledger, "chat_rooms")} == {"group", "direct", "support", "escalated"}
    assert len({room["organization_id"] for room in rows(ledger, "chat_rooms")}) == 2
    again = [row for row in ledger.history["room_participants"] if "joined_at" in (row["changed_columns"] or ())]
    assert {row["status"] for row in again} == {"left", "removed"}  # who comes back was out
    assert {row["status"] for row in rows(ledger, "robot_interactions")} == {"processing", "completed", "failed"}
    assert {message["delivery_status"] for message in rows(ledger, "messages")} >= {
        "delivered",
        "batch-delay",
        "failed",
    }
    unseen = [row for row in rows(ledger, "messages") if row["robot_id"] and not row["is_robot_visible_to_guests"]]
    assert unseen


def test_a_week_has_its_quiet_sunday_and_a_day_its_quiet_night(events: list[Event]) -> None:
    local = [
        (event.at - timedelta(hours=5))
        for event in events
        if event.kind == "room_created" and event.fields["room_type"] == "support"
    ]
    by_weekday = Counter(at.weekday() for at in local)
    assert by_weekday[6] < by_weekday[0] / 3
    assert sum(at.hour < 6 for at in local) < len(local) * 0.05 < sum(8 <= at.hour < 18 for at in local)


def as_of(ledger: Ledger, table: str, at: datetime) -> Iterator[dict[str, Any]]:
    """The rows of an instant by the rule of the schema: an image holds from its updated_at until it was changed."""
    spec = TABLES[table]
    beside = {"history_id", "changed_at", "operation_type", "changed_by", "changed_columns"}
    for image in ledger.history[table]:
        if image["updated_at"] <= at < image["changed_at"]:
            yield {name: value for name, value in image.items() if name not in beside}
    for row in ledger.rows[table].values():
        if row["updated_at"] <= at:
            yield {name: row[name] for name in spec.history_columns}


@pytest.mark.parametrize("days", [17.6, 29.9])
def test_rows_and_history_rebuild_every_table_as_it_was(events: list[Event], ledger: Ledger, days: float) -> None:
    at = BEGINNING + timedelta(days=days)
    then = folded([event for event in events if event.at <= at])
    for table in (name for name, spec in TABLES.items() if spec.keeps_history and not spec.silent):
        key = TABLES[table].key
        expected = {tuple(row[name] for name in key): row for row in then.rows[table].values()}
        assert {tuple(row[name] for name in key): row for row in as_of(ledger, table, at)} == expected, table


def test_a_change_that_comes_twice_is_made_once_and_one_from_before_the_last_is_refused() -> None:
    ledger, at = folded([]), BEGINNING
    named = dict.fromkeys(("username", "first_name", "last_name", "email"), "ana")
    made = [
        Event(at, "organization_created", None, {"id": "o", "name": "Ejemplo"}),
        Event(at, "user_created", None, named | {"id": "u", "organization_id": "o"}),
        Event(at + DAY, "user_changed", "u", {"id": "u", "display_name": "Ana"}),
    ]
    assert [apply(ledger, event) for event in made] == [True] * 3
    ledger.known_history = {row["history_id"] for row in ledger.history["users"]}
    assert [apply(ledger, event) for event in made] == [False] * 3
    with pytest.raises(ImpossibleChange, match="before the last change"):
        apply(ledger, Event(at, "user_changed", "u", {"id": "u", "display_name": "Otra"}))
    with pytest.raises(ImpossibleChange, match="users has no row x"):
        apply(ledger, Event(at + DAY, "user_changed", "u", {"id": "x", "display_name": "Otra"}))
