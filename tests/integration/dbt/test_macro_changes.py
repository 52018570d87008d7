"""Macros are part of what a relation was built from."""

import shutil
from collections.abc import Callable
from pathlib import Path

import psycopg

from dagster_project.orchestration.dbt_project import DBT_DIR
from tests.support import forked_dbt
from tests.integration.dbt.test_models import AGENT
from tests.support.listed import ListedSource, chat, serving
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
        unrelated = "select built_at from intermediate.build_fingerprints where relation = 'core.messages'"
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


def test_a_table_of_an_earlier_version_takes_the_nulls_that_todays_contract_allows(
    new_database: Callable[[], str],
) -> None:
    with serving(ListedSource([chat("answered", agent=AGENT, **TIMES)])) as sandbox:
        world = World(new_database(), sandbox)
        world.sync()
        world.build("chats")
        with psycopg.connect(world.url) as conn:
            conn.execute("alter table core.chats alter column picked_up_at set not null")
            conn.execute("alter table core.chats add column gone text not null default 'x'")
            conn.execute("alter table core.chats alter column gone drop default")
        world.source.records["chats"].append(chat("waiting"))
        world.sync()
        world.build("chats")
        assert world.one("core.chats", "id", "waiting")["picked_up_at"] is None
