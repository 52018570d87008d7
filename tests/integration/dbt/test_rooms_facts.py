"""Rooms beside chats in the facts: the example of docs/rooms.md from rows to times, and what a load touches."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from dagster_project.analysis.categorize import categorize_by_rules
from dagster_project.analysis.personal import persons
from dagster_project.analysis.rules.classifier import RulesClassifier
from dagster_project.sources.rooms import schema
from dagster_project.sources.rooms.sandbox.fill import fill
from dagster_project.sources.rooms.sandbox.firm import Firm
from tests.support.listed import AGENT, ListedSource, chat, message, serving
from tests.support.rooms_rows import land
from tests.support.world import World

FIRM = Firm(first_day=date(2025, 9, 22), days=8, rooms_per_day=5)
UNTIL = datetime(2025, 10, 1, 5, tzinfo=UTC)
FACTS = ("reply_turns", "room_response_times", "int_conversation_texts", "contacts")
ANSWERED = {
    "opened_at": "2025-10-01 09:00:00",
    "picked_up_at": "2025-10-01 09:01:00",
    "responded_at": "2025-10-01 09:02:00",
    "messages": [message("2025-10-01 09:00:00"), message("2025-10-01 09:02:00", incoming=False)],
}
NOON = datetime(2025, 9, 29, 17, tzinfo=UTC)  # 12:00 in Bogota
OF_AGENTS = {  # what facts hold of whom, with the columns that name an agent
    "marts.chat_response_times": ("agent_id", "pickup_agent_id", "first_response_agent_id"),
    "marts.reply_turns": ("agent_id",),
    "intermediate.int_agent_activity": ("agent_id",),
    "intermediate.int_backlog_intervals": ("agent_id",),
    "intermediate.int_chat_traffic": ("agent_id",),
    "intermediate.int_agent_days": ("agent_id",),
}
TABLES = ("marts.chat_response_times", "marts.reply_turns", "intermediate.int_room_clock", "intermediate.int_room_messages")


@pytest.fixture(scope="module")
def world(new_database: Callable[[], str]) -> Iterator[World]:
    with serving(ListedSource([chat("17", agent=AGENT, **ANSWERED)])) as sandbox:
        made = World(new_database(), sandbox)
        schema.upgrade(made.url)
        made.sync()
        with psycopg.connect(made.url) as conn:
            fill(conn, FIRM, UNTIL)
            _write_the_example(conn)
            land(conn)
        made.build(*FACTS)
        yield made


def _at(seconds: int) -> datetime:
    return NOON + timedelta(seconds=seconds)


def _write_the_example(conn: psycopg.Connection) -> None:
    """The guest asks, the robot hands over, Ana answers twice, once in vain; then the room is closed."""
    conn.execute("set local session_replication_role = replica")  # rows with the times at which things happened
    (organization,) = conn.execute("select id from rooms.organizations limit 1").fetchone() or (None,)
    people = {}
    for name, kind in {"guest": "guest", "robot": "robot", "ana": "agent"}.items():
        people[name] = uuid4()
        conn.execute(
            "insert into rooms.users (id, username, first_name, last_name, email, password_hash, account_type_informal, "
            "organization_id) values (%s, %s, %s, 'Ejemplo', %s, '-', %s, %s)",
            [people[name], f"x-{name}", name.title(), f"x-{name}@example.test", kind, organization],
        )
    room = uuid4()
    conn.execute(
        "insert into rooms.chat_rooms (id, name, room_type, status, creator_id, organization_id, root_room_id, created_at) "
        "values (%s, 'example', 'support', 'closed', %s, %s, %s, %s)",
        [room, people["guest"], organization, room, NOON],
    )
    conn.execute(
        "insert into rooms.chat_rooms_history select gen_random_uuid(), %s, 'UPDATE', room.*, null, 1, '{status}' "
        "from (select (jsonb_populate_record(chat_rooms, '{\"status\": \"active\"}')).* from rooms.chat_rooms where id = %s) "
        "as room",
        [_at(1200), room],
    )
    for name, role, joined in (("guest", "guest", 0), ("robot", "member", 0), ("ana", "member", 120)):
        conn.execute(
            "insert into rooms.room_participants (room_id, user_id, role, joined_at) values (%s, %s, %s, %s)",
            [room, people[name], role, _at(joined)],
        )
    asked = None
    for name, at, status in (
        ("guest", 0, "delivered"),
        ("robot", 3, "delivered"),
        ("ana", 160, "delivered"),
        ("guest", 300, "delivered"),
        ("guest", 330, "batch-delay"),
        ("ana", 360, "delivered"),
        ("ana", 370, "failed"),
        ("guest", 600, "delivered"),
    ):
        written = uuid4()
        asked = asked or written
        conn.execute(
            "insert into rooms.messages (id, room_id, sender_id, message_type, content, is_robot_visible_to_guests, "
            "delivery_status, created_at) values (%s, %s, %s, %s, 'x', %s, %s, %s)",
            [written, room, people[name], "robot" if name == "robot" else "chat", name == "robot", status, _at(at)],
        )
    conn.execute(
        "insert into rooms.robot_interactions (message_id, message_created_at, robot_id, request_data, status, "
        "is_handover, started_at, completed_at) values (%s, %s, 'r', '{}', 'completed', true, %s, %s)",
        [asked, NOON, _at(20), _at(30)],
    )


def test_the_room_of_the_docs_has_the_times_of_the_docs(world: World) -> None:
    (room,) = world.ask("select * from core.rooms where name = 'example'")
    times = world.one("marts.room_response_times", "chat_id", room["chat_id"])
    wanted = {
        "pickup_seconds": 90,
        "first_response_seconds": 130,
        "response_seconds": 160,
        "resolution_seconds": 1170,
        "handling_seconds": 1080,
        "avg_reply_seconds": 110,
        "avg_reply_from_last_seconds": 95,
        "reply_count": 2,
        "handled_by": "robot_then_human",
        "level": "T1",
        "agent_name": "Ana Ejemplo",
        "source": "rooms",
        "quality_rules": None,
    }
    assert {name: times[name] for name in wanted} == wanted
    turns = world.ask(
        "select reply_seconds, reply_from_last_seconds, is_answered from marts.reply_turns where chat_id = %s "
        "order by turn_number",
        room["chat_id"],
    )
    assert [tuple(turn.values()) for turn in turns] == [(160, 160, True), (60, 30, True), (None, None, False)]


def test_support_rooms_are_categorized_as_chats_are_and_groups_never(world: World) -> None:
    (room,) = world.ask("select chat_id from core.rooms where name = 'example'")
    with psycopg.connect(world.url, autocommit=True) as conn:
        categorize_by_rules(conn, RulesClassifier(), idle=timedelta(hours=24))
        known = persons.known(conn, ["17", room["chat_id"]])
    states = {row["chat_id"]: row["state"] for row in world.ask("select chat_id, state from analysis.classification_queue")}
    assert (states["17"], states[room["chat_id"]]) == ("classified", "classified")
    support = {row["chat_id"] for row in world.ask("select chat_id from intermediate.int_room_clock")}
    assert set(states) == support | {"17"}
    # Before a text leaves, whoever takes part in the room is taken out of it.
    assert {"Ana Ejemplo", "Guest Ejemplo"} <= set(known[room["chat_id"]].names)
    assert ("EMAIL", "x-guest@example.test") in known[room["chat_id"]].values


def test_a_load_touches_its_own_conversations_and_what_is_kept_is_what_a_rebuild_makes(world: World) -> None:
    before = {table: _rows(world, table) for table in TABLES}
    (old,) = world.ask(
        "select messages.room_id, messages.sender_id, rooms.chat_id from core.room_messages as messages "
        "inner join core.rooms on rooms.id = messages.room_id inner join intermediate.int_room_clock using (chat_id) "
        "where int_room_clock.status = 'closed' order by rooms.created_at limit 1"
    )
    with psycopg.connect(world.url) as conn:
        conn.execute("set local session_replication_role = replica")
        conn.execute(
            "insert into rooms.messages (room_id, sender_id, content, delivery_status, created_at) "
            "values (%s, %s, 'tarde', 'delivered', %s)",
            [old["room_id"], old["sender_id"], NOON + timedelta(days=1)],
        )
        assert land(conn) == {"messages": 1}
    world.source.records["chats"].append(chat("18", agent=AGENT, **ANSWERED))
    world.sync()
    world.build(*FACTS)

    for table, rows in before.items():
        changed = {key for key, row in _rows(world, table).items() if rows.get(key) != row}
        wanted = {old["chat_id"]} if "room" in table else {old["chat_id"], "18"}
        assert {key.split(" ")[0] for key in changed} == wanted, table

    kept = {table: _contents(world, table) for table in TABLES}
    world.run(*FACTS, full_refresh=True)
    assert {table: _contents(world, table) for table in TABLES} == kept


def test_one_person_of_two_sources_is_one_agent_in_all_facts_and_two_again_when_the_seed_says_so_no_more(
    world: World,
) -> None:
    names = [table.split(".")[1] for table in OF_AGENTS]
    tables = (*(f"+{name},config.materialized:incremental" for name in names), "resource_type:seed")
    _make(world, *(f"+{name}" for name in names))
    (ana,) = world.ask("select agent_id as id, agent_name as name from marts.chat_response_times where chat_id = '17'")
    (other,) = world.ask("select agent_id as key from marts.room_response_times where agent_name = 'Ana Ejemplo'")
    apart = {table: _of_agents(world, table) for table in OF_AGENTS}
    known = world.ask("select max(load_id) as load from marts.chat_response_times")

    def now_is(statement: str, *values: str) -> None:
        with psycopg.connect(world.url) as conn:
            conn.execute(statement, values)  # type: ignore[arg-type]
            conn.execute("update ops.calendar_and_target_versions set content_hash = 'another one'")
        _make(world, *tables)

    now_is(
        "insert into intermediate.agent_identities values ('Ana', 'b2chat', %s), ('Ana', 'rooms', %s)",
        ana["id"],
        other["key"].removeprefix("rooms:"),
    )
    for table, rows in apart.items():
        renamed = [
            dict(row, **{name: ana["id"] for name in OF_AGENTS[table] if row[name] == other["key"]}) for row in rows
        ]
        found = _of_agents(world, table)
        if table.endswith("agent_days"):  # her days in both are one
            assert {(row["local_date"], row["agent_id"]) for row in found} == {
                (row["local_date"], row["agent_id"]) for row in renamed
            }
            assert _sums(found) == _sums(renamed)
        else:
            assert _texts(found) == _texts(renamed), table
    touched = world.ask(
        "select chat_id, agent_name from marts.chat_response_times where load_id > %s", known[0]["load"]
    )
    assert {row["agent_name"] for row in touched} == {ana["name"]}
    assert "17" not in {row["chat_id"] for row in touched}  # whoever keeps their key has nothing made anew

    now_is("delete from intermediate.agent_identities")
    assert {table: _texts(_of_agents(world, table)) for table in OF_AGENTS} == {
        table: _texts(rows) for table, rows in apart.items()
    }


def _make(world: World, *selected: str) -> None:
    done = world.dbt("build", "--select", *selected, "--exclude-resource-type", "unit_test", "test")
    assert done.returncode == 0, done.stdout[-4000:]


def _of_agents(world: World, table: str) -> list[dict[str, Any]]:
    """What holds today, whichever load told it; names are those of agents, which follow their keys."""
    found = world.ask(f"select * from {table}")
    left_out = ("load_id", "superseded_by_load_id", "agent_name")
    return [
        {name: value for name, value in row.items() if name not in left_out}
        for row in found
        if row.get("superseded_by_load_id") is None
    ]


def _texts(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(map(str, rows))


def _sums(rows: list[dict[str, Any]]) -> dict[str, int]:
    counted = (
        "picked_up_chat_count",
        "transfer_in_count",
        "transfer_out_count",
        "active_chat_seconds",
        "active_chat_count",
    )
    return {name: sum(row[name] for row in rows) for name in counted}


def _rows(world: World, table: str) -> dict[str, Any]:
    """Which transaction wrote each row."""
    found = world.ask(f"select *, xmin::text as written_by from {table}")
    number = {"marts.reply_turns": "turn_number", "intermediate.int_room_messages": "message_id"}.get(table)
    return {f"{row['chat_id']} {row[number] if number else ''}": row["written_by"] for row in found}


def _contents(world: World, table: str) -> list[Any]:
    return sorted(str(dict(row, load_id=0)) for row in world.ask(f"select * from {table}"))
