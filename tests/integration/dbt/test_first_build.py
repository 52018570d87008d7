"""The first build of a warehouse asks tests together, of what it makes as it makes it: what fails one is never seen, and
each test that fails is named."""

import shutil
from collections.abc import Callable
from pathlib import Path

import psycopg

from dagster_project.orchestration.builds.unchanged import broken_tests
from dagster_project.orchestration.dbt_project import DBT_DIR
from tests.support import forked_dbt
from tests.support.listed import AGENT, ListedSource, chat, serving
from tests.support.world import World

_OF_NOBODY = """
select 'nobody' as agent_id, {{ columns | reject('equalto', 'agent_id') | join(', ') }},
    is_outgoing, b2chat_agent_id, load_id
from once
"""


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def _wrap(file: Path, query: str) -> None:
    file.write_text(f"with once as (\n{file.read_text()}\n)\n{query}")


def test_what_fails_a_test_in_a_first_build_is_not_there_nor_what_stands_on_it_and_each_test_is_named(
    new_database: Callable[[], str], tmp_path: Path
) -> None:
    project = tmp_path / "dbt"
    shutil.copytree(DBT_DIR, project, ignore=shutil.ignore_patterns("target", "logs"))
    models = project / "models"
    _replace(project / "seeds" / "sla_targets.csv", "pickup,,,120,", "pickup,,,-120,")
    _replace(models / "core" / "chat_status_history.sql", "('status',", "('state',")
    twice = "select * from once union all select * from once"
    _wrap(models / "marts" / "operations" / "data_freshness.sql", twice)
    _wrap(models / "intermediate" / "b2chat" / "int_b2chat__audited_chats.sql", _OF_NOBODY)
    with serving(ListedSource([chat("one", opened_at="2025-10-01 09:00:00", agent=AGENT)])) as sandbox:
        world = World(new_database(), sandbox)
        world.sync()
        words = ("build", "--selector", "first_build", "--exclude-resource-type", "unit_test")
        said = forked_dbt.run(world.url, *words, project=project, B2CHAT_TIMEZONE="America/Bogota").stdout
    with psycopg.connect(world.url, autocommit=True) as conn:
        broken = broken_tests(conn, forked_dbt.target_of(world.url) / "run_results.json")
    expected = {
        "sla_targets_are_positive",  # a seed
        "accepted_values_chat_status_history_field__status__agent__department__priority",  # a table
        "primary_key_data_freshness_mart",  # a view
        "relationships_chats_agent_id__id__ref_agents_",  # a reference to what is built beside it
    }
    assert expected <= broken.keys(), said[-4000:]
    assert broken["sla_targets_are_positive"] == broken["relationships_chats_agent_id__id__ref_agents_"] == 1
    there = "select name from unnest(%s::text[]) as one (name) where to_regclass(name) is not null order by 1"
    refused = ["intermediate.sla_targets", "core.chat_status_history", "marts.data_freshness"]
    on_them = ["marts.sla_chats", "marts.chat_response_times", "marts.kpi_daily"]
    others = ["core.chats", "intermediate.channels"]
    assert [row["name"] for row in world.ask(there, refused + on_them + others)] == others
