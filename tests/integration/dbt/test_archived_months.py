"""Archived months and dbt: what was made from them stays, nothing is made anew without them, and they come back."""

import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest

from dagster_project.exports.stores.folder import Folder
from dagster_project.settings import PROJECT_ROOT
from dagster_project.warehouse.archive import restore, steps
from tests.support.listed import AGENT, ListedSource, chat, message, serving
from tests.support.world import World

# The turn begins in September and is answered in October, by UTC and in Bogota.
TALK = [message("2025-09-30 12:00:00"), message("2025-10-01 12:00:00", incoming=False)]
TIMES = {
    "opened_at": "2025-09-29 09:00:00",
    "picked_up_at": "2025-09-29 09:01:00",
    "closed_at": "2025-10-01 13:00:00",
    "messages": TALK,
    "agent": AGENT,
}
TABLES = ("core.chats", "core.messages", "marts.reply_turns")
BUILD = ("build", "--select", "+reply_turns", "--exclude-resource-type", "unit_test", "--exclude-resource-type", "test")


@pytest.fixture(scope="module")
def world(new_database: Callable[[], str]) -> Iterator[World]:
    chats = [
        chat("old", "2025-09-29", **TIMES),
        chat("touched", "2025-09-29", **TIMES),
        chat("young", "2025-10-02", messages=TALK[1:], agent=AGENT),
    ]
    with serving(ListedSource(chats)) as sandbox:
        world = World(new_database(), sandbox)
        world.sync()
        assert world.dbt(*BUILD).returncode == 0
        yield world


def made(world: World) -> dict[str, list[dict[str, object]]]:
    rows = "select to_jsonb(t) - '{load_id,last_sync_at,sync_version}'::text[] as row from TABLE as t order by 1"
    return {table: world.ask(rows.replace("TABLE", table)) for table in TABLES}


def test_the_search_that_the_page_shows_finds_words_in_every_month(world: World) -> None:
    page = (PROJECT_ROOT / "docs" / "bi_access.md").read_text()
    [shown] = [block for block in re.findall("```sql\n(.*?)```", page, re.DOTALL) if "websearch" in block]
    index, search = shown.split(";", 1)
    with psycopg.connect(world.url) as conn:
        conn.execute(index)  # type: ignore[arg-type]
        conn.execute("update core.messages set text = 'un lote sin cuotas iniciales' where chat_id = 'old'")
        found = conn.execute(search).fetchall()  # type: ignore[arg-type]
        conn.rollback()
    assert [(chat_id, at.month) for chat_id, at, _ in found] == [("old", 10), ("old", 9)]


def test_months_that_are_archived_are_kept_in_marts_refused_to_a_full_refresh_and_restored_for_it(
    world: World, tmp_path: Path
) -> None:
    store, before = Folder(tmp_path / "exports"), made(world)
    assert {row["row"]["chat_id"] for row in before["marts.reply_turns"]} >= {"old", "touched"}
    steps.run(world.url, store, 12, date(2026, 10, 15))
    assert [row["chat_id"] for row in world.ask("select chat_id from raw.b2chat_chats")] == ["young"]
    assert world.ask("select distinct timestamp::date as day from core.messages") == [{"day": date(2025, 10, 1)}]

    # One comes again, changed.
    world.source.records["chats"][1]["closed_at"] = "2025-10-02 11:00:00"
    world.sync()
    assert world.dbt(*BUILD).returncode == 0
    after = made(world)
    for table in ("core.chats", "marts.reply_turns"):
        kept, now = ([row for row in rows[table] if "touched" not in row["row"].values()] for rows in (before, after))
        assert len(now) == len(before[table]) - 1 and now == kept, table
    assert world.one("core.chats", "id", "touched")["sync_version"] == 2
    assert len(world.ask("select from core.messages where chat_id = 'touched'")) == 2, "it is in the tables again, whole"

    refused = world.dbt(*BUILD, "--full-refresh")
    assert refused.returncode != 0 and "these months are archived: 2025-09" in refused.stdout
    with psycopg.connect(world.url) as conn:
        conn.execute("update ops.build_fingerprints set fingerprint = 'another' where relation = 'marts.reply_turns'")
    refused = world.dbt("run", "--select", "reply_turns")
    assert refused.returncode != 0 and "marts.reply_turns would be made anew" in refused.stdout
    assert made(world) == after

    restore.restore_all(world.url, store)
    assert world.dbt(*BUILD, "--full-refresh").returncode == 0
    whole = made(world)
    assert whole["core.messages"] == before["core.messages"]
    assert whole["marts.reply_turns"] == after["marts.reply_turns"]
