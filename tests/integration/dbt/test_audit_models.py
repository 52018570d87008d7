"""What the audit export adds to the API's chats, from files in a folder to core; expectations worked out by hand."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dagster_project.ingestion.sync import sync
from dagster_project.sources.b2chat_audit.entities import MESSAGES
from dagster_project.sources.b2chat_audit.source import AuditFolder
from dagster_project.sources.contract import Scope
from tests.support.syncing import sync_b2chat
from tests.support.audit_files import row, write_csv, write_xlsx
from tests.support.listed import AGENT, ListedSource, chat, client_of, message, serving
from tests.support.world import FIRST_DAY, TODAY, World

CHATS = [
    chat("started", agent=AGENT, opened_at="2025-10-01 09:00:00", picked_up_at="2025-10-01 09:00:00"),
    chat("told", agent=AGENT, messages=[message("2025-10-01 09:00:00", incoming=False, body="de la API")]),
    chat("not-exported", agent={"username": "eva", "name": "Eva Dos"}),
]
# What the tests ask of a step; the last one builds everything.
ASKED = ["chat_response_times", "messages", "agents"]
STARTED = [
    row("started", "2025-10-01 09:00:00", "Buenos días"),
    row("started", "2025-10-01 12:30:00", "gracias", by="Contact"),
    row("started", "2025-10-01 12:30:00", "gracias", by="Contact"),
    row("started", "2025-10-01 12:30:05", "¿Algo más?", by="Bot"),
]
TOLD = [row("told", "2025-10-01 09:00:00", "de la exportación", outgoing=False)]


@pytest.fixture(scope="module")
def world(new_database: Callable[[], str]) -> Iterator[World]:
    with serving(ListedSource(list(CHATS), [])) as sandbox:
        made = World(new_database(), sandbox)
        read_again(made)
        made.build(*ASKED)
        yield made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("audit")


def read_again(world: World) -> None:
    with client_of(world.sandbox) as client:
        sync_b2chat(world.url, client, entity="chats", mode="full", start_date=FIRST_DAY, today=TODAY, triggered_by="test")


def read_again_and_build(world: World) -> None:
    read_again(world)
    world.run(*ASKED)


def land_and_build(world: World, folder: Path) -> None:
    with AuditFolder(folder) as source:
        sync(world.url, source, MESSAGES, Scope("incremental", TODAY), triggered_by="test")
    world.run(*ASKED)


def messages(world: World, chat_id: str) -> list[dict[str, Any]]:
    return world.ask("select * from core.messages where chat_id = %s order by timestamp, position", chat_id)


def test_the_export_fills_messages_direction_and_agent_id_of_a_chat_that_an_agent_started(
    world: World, folder: Path
) -> None:
    assert world.one("core.chats", "id", "started")["direction_source"] == "inferred_no_messages"
    write_csv(folder / "1.csv", [*STARTED, *TOLD, row("unknown", "2025-10-01 09:00:00")])
    land_and_build(world, folder)
    found = messages(world, "started")
    assert [(one["text"], one["incoming"], one["is_bot"], one["message_source"]) for one in found] == [
        ("Buenos días", False, False, "audit_export"), ("gracias", True, False, "audit_export"),
        ("gracias", True, False, "audit_export"), ("¿Algo más?", False, True, "audit_export")]
    assert found[1]["timestamp"] == datetime(2025, 10, 1, 17, 30, tzinfo=UTC)
    started = world.one("core.chats", "id", "started")
    assert (started["direction"], started["direction_source"]) == ("outgoing", "audit_export")
    assert world.one("marts.chat_response_times", "chat_id", "started")["incoming_message_count"] == 2
    agents = world.ask("select id, name, b2chat_agent_id from core.agents order by 1")
    assert [tuple(one.values()) for one in agents] == [("ana", "Ana Uno", "4711"), ("eva", "Eva Dos", None)]


def test_messages_of_the_api_stand_before_the_exports_and_its_direction_before_theirs(world: World) -> None:
    assert [(one["text"], one["message_source"]) for one in messages(world, "told")] == [("de la API", "api")]
    told = world.one("core.chats", "id", "told")
    assert (told["direction"], told["direction_source"]) == ("incoming", "audit_export")


def test_a_chat_that_the_api_has_not_brought_waits_is_counted_and_is_used_when_it_comes(world: World) -> None:
    assert messages(world, "unknown") == []
    done = world.dbt("test", "--select", "audit_chats_that_the_api_has_not_brought")
    assert "Got 1 result" in done.stdout
    world.source.records["chats"].append(chat("unknown"))
    read_again_and_build(world)
    assert [one["text"] for one in messages(world, "unknown")] == ["hola"]
    assert world.one("core.chats", "id", "unknown")["direction_source"] == "audit_export"


def test_a_file_that_overlaps_adds_only_what_is_new(world: World, folder: Path) -> None:
    before = [one["id"] for one in messages(world, "started")]
    write_xlsx(folder / "2.xlsx", [*STARTED[1:], row("started", "2025-10-01 15:00:00", "https://a.test/p.jpg",
                                                    Message_Type="IMAGE", Message_Caption="foto")])
    land_and_build(world, folder)
    found = messages(world, "started")
    assert [one["id"] for one in found][:4] == before and len(found) == 5
    assert (found[4]["type"], found[4]["image_url"], found[4]["caption"]) == ("image", "https://a.test/p.jpg", "foto")


def test_when_the_api_gives_the_messages_later_none_is_doubled_and_each_keeps_its_id(world: World) -> None:
    before = [one["id"] for one in messages(world, "started")]
    started = next(one for one in world.source.records["chats"] if one["chat_id"] == "started")
    started["messages"] = [
        message("2025-10-01 09:00:00", incoming=False, body="Buenos días"),
        message("2025-10-01 12:30:00", body="gracias"), message("2025-10-01 12:30:00", body="gracias"),
        message("2025-10-01 12:30:05", incoming=False, body="¿Algo más?"),
    ]
    read_again_and_build(world)
    found = messages(world, "started")
    assert [one["message_source"] for one in found] == ["api"] * 4
    assert [one["id"] for one in found] == before[:4]


def test_an_agents_name_is_the_apis_newest_though_the_export_touches_an_older_chat(
    world: World, folder: Path
) -> None:
    world.source.records["chats"].append(chat("renamed", agent=AGENT | {"name": "Ana de Ruiz"}))
    read_again_and_build(world)
    write_csv(folder / "3.csv", [row("told", "2025-10-01 10:00:00", "otra", Agent_ID="4712")])
    land_and_build(world, folder)
    ana = world.one("core.agents", "id", "ana")
    assert (ana["name"], ana["b2chat_agent_id"]) == ("Ana de Ruiz", "4712")


def test_builds_load_by_load_equal_one_of_all_loads(world: World) -> None:
    query = """
        select to_jsonb(m) - 'load_id' - 'last_sync_at' as told from core.messages m
        union all select to_jsonb(c) - 'last_sync_at' from core.chats c
        union all select to_jsonb(f) from intermediate.int_chat_message_facts f
        union all select to_jsonb(a) - '{created_at,updated_at,last_sync_at,load_id}'::text[] from core.agents a
        order by 1
    """
    step_by_step = world.ask(query)
    with psycopg.connect(world.url) as conn:
        conn.execute("truncate ops.build_watermarks")
        conn.execute("drop schema core, marts cascade")
        conn.execute("drop table intermediate.int_chat_message_facts, intermediate.int_customer_turns")
    world.build()
    assert world.ask(query) == step_by_step
