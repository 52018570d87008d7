"""Shapes of the source that were misread once, from the API over HTTP to the marts, on servers of either locale."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from dagster_project.warehouse import migrations
from tests.support import tables
from tests.support.listed import ListedSource, chat, serving
from tests.support.world import TABLES, World

CUSTOMER = {"created_at": "2025-10-01 09:00:00", "incoming": True, "type": "TEXT", "body": "x"}
OPENED = {"opened_at": "2025-10-01 09:00:00", "status": "OPENED", "closed_at": None, "messages": [CUSTOMER]}
FIRST = [
    chat("urgent", priority="URGENT", picked_up_at="2025-10-01 09:01:30", **OPENED),
    chat("calm", priority=None, picked_up_at="2025-10-01 09:01:30", **OPENED),
    chat("opened-early", **OPENED | {"opened_at": "2025-10-01 08:59:59"}),
    chat("own-broadcast", **OPENED | {"messages": [CUSTOMER | {"broadcasted": True}]}),
    chat("messages-null", messages=None),
    {name: value for name, value in chat("messages-missing").items() if name != "messages"},
    chat("messages-empty"),
    chat("name-alone", department=" Ventas ", **OPENED),
    chat("left-it", department="Ventas", **OPENED),
    chat("code-as-text", department="VEN", **OPENED),
    chat("odd-department", department={"titulo": "Ventas"}, **OPENED),
    chat("long-names", department={"department_name": "Cobros", "department_code": "12"}, **OPENED),
]
DEPARTMENTS = "select id as chat_id, department_id from core.chats where department_id is not null order by 1"
# When something was noticed may differ from a build made anew, and nothing else.
NOTICED = {
    "core.departments": {"created_at", "last_sync_at"},
    "intermediate.int_backlog_days": {"counted_until"},
}


@pytest.fixture(scope="module")
def world(new_database: Callable[[], str]) -> Iterator[World]:
    with serving(ListedSource([dict(one) for one in FIRST])) as sandbox:
        made = World(new_database(), sandbox)
        made.sync()
        made.build()
        yield made


def chats_of(world: World) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in world.ask("select * from core.chats")}


def test_a_priority_is_the_sources(world: World) -> None:
    chats = chats_of(world)
    assert (chats["urgent"]["priority"], chats["calm"]["priority"]) == ("urgent", "normal")


@pytest.mark.parametrize("key", ["messages-null", "messages-missing", "messages-empty"])
def test_no_messages_are_an_agents_chat_however_the_source_says_it(world: World, key: str) -> None:
    found = chats_of(world)[key]
    assert (found["direction"], found["direction_source"]) == ("outgoing", "inferred_no_messages")


def test_a_customers_message_is_no_broadcast_whatever_its_flag_says(world: World) -> None:
    assert world.ask("select is_broadcast from core.messages where chat_id = 'own-broadcast'") == [
        {"is_broadcast": False}
    ]


def test_what_cannot_be_right_or_read_is_counted_by_its_rule_and_named(world: World) -> None:
    rows = world.ask("""
        select rule, broken_count, sample_ids from marts.data_quality
        where subject = 'chats' and rule in ('opened_before_created', 'unreadable_department') order by 1
    """)
    assert [tuple(row.values()) for row in rows] == [
        ("opened_before_created", 1, "opened-early"),
        ("unreadable_department", 1, "odd-department"),
    ]
    flagged = world.one("marts.chat_response_times", "chat_id", "opened-early")
    assert flagged["quality_rules"] == "opened_before_created"


def test_a_department_is_one_by_its_name_its_code_or_both_and_a_full_build_says_the_same(world: World) -> None:
    known = {row["chat_id"]: row["department_id"] for row in world.ask(DEPARTMENTS)}
    assert known == {"name-alone": "Ventas", "left-it": "Ventas", "code-as-text": "VEN", "long-names": "12"}
    listed = {one["chat_id"]: one for one in world.source.records["chats"]}
    listed["left-it"]["department"] = "Cartera"
    world.sync()
    assert world.refreshed().returncode == 0
    listed["urgent"].update(department={"name": "Ventas", "code": "VEN"}, priority="low")
    world.sync()
    assert world.refreshed().returncode == 0
    assert {row["chat_id"]: row["department_id"] for row in world.ask(DEPARTMENTS)} == {
        "name-alone": "VEN",
        "left-it": "Cartera",
        "code-as-text": "VEN",
        "long-names": "12",
        "urgent": "VEN",
    }
    assert [tuple(row.values()) for row in world.ask("select id, name from core.departments order by 1")] == [
        ("12", "Cobros"),
        ("Cartera", "Cartera"),
        ("VEN", "Ventas"),
    ]
    transfers = world.ask("select chat_id, old_value, new_value from core.chat_status_history where is_transfer")
    assert [tuple(row.values()) for row in transfers] == [("left-it", "VEN", "Cartera")]
    assert chats_of(world)["urgent"]["priority"] == "low"
    assert not world.ask("select 1 from marts.department_daily where department_id = 'Ventas'")

    tables.keep(world.url)
    anew = world.dbt("run", "--full-refresh", "--select", TABLES, "--exclude", "tag:rooms", "tag:calls")
    assert anew.returncode == 0, anew.stdout[-4000:]
    stored = world.ask(
        "select schemaname || '.' || tablename as name from pg_tables where schemaname = any(%s)", tables.SCHEMAS
    )
    noticed = {row["name"]: {"load_id"} | NOTICED.get(row["name"], set()) for row in stored}
    # What no longer holds stays until the next build has taken it off the backlog.
    assert [difference for difference in tables.differences(world.url, noticed)
            if not difference.startswith("intermediate.int_backlog_intervals: ")] == []


@pytest.fixture
def database_of_locale_c(server_url: str) -> Iterator[str]:
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute("""
            create database locale_c template template0 encoding 'UTF8' locale_provider libc
            lc_collate 'C' lc_ctype 'C'
        """)
        url = urlunsplit(urlsplit(server_url)._replace(path="/locale_c"))
        migrations.upgrade(url)
        yield url
        conn.execute("drop database locale_c with (force)")


def test_texts_are_the_same_keys_where_the_servers_locale_knows_no_accents(database_of_locale_c: str) -> None:
    tagged = [
        chat("1", tags=["CRÉDITO", "ÑANDÚ", "ИПОТЕКА"], provider="TELÉFONO", agent={"email": "JOSÉ@x.test"}),
        chat(
            "2", tags=["crédito", "n\u0303andu\u0301", "ипотека"], provider="teléfono", agent={"email": "josé@x.test"}
        ),
        chat("3", department="Ventas\u2003Norte"),
        chat("4", department="Ventas Norte"),
    ]
    with serving(ListedSource(tagged)) as sandbox:
        world = World(database_of_locale_c, sandbox)
        world.sync()
        world.build("chat_tags", "chats")
    assert world.ask("select array_agg(distinct tag_key) as keys from marts.chat_tags") == [
        {"keys": ["credito", "nandu", "ипотека"]}
    ]
    assert world.ask("select distinct provider, agent_id from core.chats where id < '3'") == [
        {"provider": "teléfono", "agent_id": "josé@x.test"}
    ]
    assert world.ask("select distinct department_id from core.chats where id > '2'") == [
        {"department_id": "Ventas Norte"}
    ]
