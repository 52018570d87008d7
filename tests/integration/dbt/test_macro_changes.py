"""Macros are part of what a relation was built from."""

import shutil
from collections.abc import Callable
from pathlib import Path

import psycopg

from dagster_project.orchestration.dbt_project import DBT_DIR
from tests.support import forked_dbt
from tests.support.listed import AGENT, ListedSource, chat, serving
from tests.support.world import World

TIMES = {
    "opened_at": "2025-10-01 09:00:00",
    "picked_up_at": "2025-10-01 09:01:00",
    "responded_at": "2025-10-01 09:02:00",
}
ROWS_ONLY = ("--exclude-resource-type", "unit_test", "--exclude-resource-type", "test")
SECONDS = "extract(epoch from {{ finish }} - {{ start }})"


def test_a_changed_macro_rebuilds_all_that_calls_it_and_leaves_no_row_of_the_old_one(
    new_database: Callable[[], str], tmp_path: Path
) -> None:
    project = tmp_path / "dbt"
    shutil.copytree(DBT_DIR, project, ignore=shutil.ignore_patterns("target", "logs"))
    with serving(ListedSource([chat("old", agent=AGENT, **TIMES)])) as sandbox:
        world = World(new_database(), sandbox)

        def build() -> dict[str, int]:
            selected = ("build", "--select", "+response_times_daily", *ROWS_ONLY)
            done = forked_dbt.run(world.url, *selected, project=project, B2CHAT_TIMEZONE="America/Bogota")
            assert done.returncode == 0, done.stdout[-4000:]
            rows = world.ask("select chat_id, first_response_seconds from marts.chat_response_times")
            return {row["chat_id"]: row["first_response_seconds"] for row in rows}

        world.sync()
        assert build() == {"old": 120}
        unrelated = "select built_at from ops.build_fingerprints where relation = 'core.messages'"
        before = world.ask(unrelated)
        macro = project / "macros" / "generic" / "times.sql"
        assert SECONDS in macro.read_text()
        macro.write_text(macro.read_text().replace(SECONDS, f"1000 * {SECONDS}"))
        world.source.records["chats"].append(chat("new", agent=AGENT, **TIMES))
        world.sync()
        assert build() == {"old": 120_000, "new": 120_000}
        (day,) = world.ask("select sum_seconds from marts.response_times_daily where scope = 'all' and clock = 'wall' "
                           "and metric = 'first_response'")
        assert day["sum_seconds"] == 240_000
        assert world.ask(unrelated) == before, "what does not call the macro is left alone"


def test_a_table_whose_definition_changed_gets_all_of_it_and_the_views_of_bi_stay(
    new_database: Callable[[], str], tmp_path: Path
) -> None:
    project = tmp_path / "dbt"
    shutil.copytree(DBT_DIR, project, ignore=shutil.ignore_patterns("target", "logs"))
    with serving(ListedSource([chat("answered", agent=AGENT, **TIMES)])) as sandbox:
        world = World(new_database(), sandbox)
        world.sync()
        build = ("build", "--select", "+chats", *ROWS_ONLY)
        assert forked_dbt.run(world.url, *build, project=project, B2CHAT_TIMEZONE="America/Bogota").returncode == 0
        with psycopg.connect(world.url) as conn:
            # As an earlier version might have left it.
            conn.execute("alter table core.chats alter column picked_up_at set not null")
            conn.execute("alter table core.chats add column gone text not null default 'x'")
            conn.execute("alter table core.chats drop constraint chats_pkey")
            conn.execute("create view public.bi as select id, picked_up_at from core.chats")
        model = project / "models" / "core" / "chats.sql"
        model.write_text(model.read_text().replace("indexes=[", "indexes=[{'columns': ['priority', 'id']},", 1))
        world.source.records["chats"].append(chat("waiting"))
        world.sync()
        done = forked_dbt.run(world.url, *build, project=project, B2CHAT_TIMEZONE="America/Bogota")
        assert done.returncode == 0, done.stdout[-4000:]
        assert world.one("public.bi", "id", "waiting")["picked_up_at"] is None
        columns = "select attname from pg_attribute where attrelid = 'core.chats'::regclass and not attisdropped"
        assert "gone" not in {row["attname"] for row in world.ask(columns)}
        indexes = {row["indexdef"].split(" USING ")[1] for row in world.ask("select indexdef from pg_indexes where tablename = 'chats' and schemaname = 'core'")}
        assert {"btree (priority, id)", "btree (id)"} <= indexes
