"""Two sources in one warehouse: equal numbers never meet, and one that stops neither holds the other up nor hides it.

The toy source's side of dbt is tests/support/toy_dbt: what CONTRIBUTING asks of a new source, and a branch in each union.
"""

import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dagster_project.ingestion.sync import sync
from dagster_project.orchestration.dbt_project import DBT_DIR
from dagster_project.sources.contract import Scope, SourceError
from tests.support import forked_dbt
from tests.support.listed import AGENT, ListedSource, chat, message, serving
from tests.support.toy_source import NOTES, TABLES, ToySource
from tests.support.world import World

TOY = Path(forked_dbt.__file__).parent / "toy_dbt"
UNIONS = ("conversations", "messages", "events", "agent_assignments")
FACTS = ("chat_response_times", "reply_turns", "sla_chats", "heatmap_cells", "heatmap_cell_chats")
TIMES = (
    "response_times_daily",
    "account_daily",
    "sla_daily",
    "weekly_response_time_summary",
    "weekly_response_time_heatmap",
    "response_times_by_direction",
)
ROWS_ONLY = ("--exclude-resource-type", "unit_test", "--exclude-resource-type", "test")
# Wednesday 2025-10-01, 9:00 in Bogota. The chat is answered after 120 s, the note of the same number after 300.
ANSWERED = {
    "opened_at": "2025-10-01 09:00:00",
    "picked_up_at": "2025-10-01 09:01:00",
    "responded_at": "2025-10-01 09:02:00",
    "messages": [message("2025-10-01 09:00:00"), message("2025-10-01 09:02:00", incoming=False)],
}
NOTE = {
    "number": 17,
    "text": "a note",
    "channel": "telegram",
    "agent": "ana",
    "asked_at": "2025-10-01 09:00:00-05",
    "answered_at": "2025-10-01 09:05:00-05",
}


class TwoSources(World):
    """A warehouse with B2Chat and the toy, and the project that knows both."""

    project: Path

    def sync_toy(self, source: ToySource) -> None:
        sync(self.url, source, NOTES, Scope("incremental", date(2025, 10, 10)), triggered_by="test")

    def build_facts(self) -> None:
        selected = (
            "build",
            "--select",
            *(f"+{mart}" for mart in (*FACTS, *TIMES)),
            "data_freshness",
            "sync_health",
            *ROWS_ONLY,
        )
        done = forked_dbt.run(self.url, *selected, project=self.project, B2CHAT_TIMEZONE="America/Bogota")
        assert done.returncode == 0, done.stdout[-4000:]

    def facts(self, columns: str, table: str) -> list[tuple[Any, ...]]:
        return [
            tuple(row.values()) for row in self.ask(f"select {columns} from marts.{table} order by conversation_id")
        ]


@pytest.fixture(scope="module")
def world(new_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoSources]:
    with serving(ListedSource([chat("17", agent=AGENT, provider="WHATSAPPB2CHAT", **ANSWERED)])) as sandbox:
        two = TwoSources(new_database(), sandbox)
        two.project = _project_of_both(tmp_path_factory.mktemp("two"))
        with psycopg.connect(two.url, autocommit=True) as conn:
            conn.execute(TABLES)
        two.sync()
        two.sync_toy(ToySource([NOTE]))
        two.build_facts()
        yield two


def _project_of_both(folder: Path) -> Path:
    project = folder / "dbt"
    shutil.copytree(DBT_DIR, project, ignore=shutil.ignore_patterns("target", "logs"))
    sources = project / "models" / "facts" / "sources"
    shutil.copytree(TOY, sources, dirs_exist_ok=True)
    for union in UNIONS:
        model = sources / f"int_{union}.sql"
        model.write_text(model.read_text() + f"union all\nselect * from {{{{ ref('int_toy__{union}') }}}}\n")
    entities = project / "macros" / "metrics" / "sources.sql"
    entities.write_text(entities.read_text().replace("('b2chat', 'chats')", "('b2chat', 'chats'), ('toy', 'notes')"))
    return project


def test_a_conversation_of_each_source_with_the_same_number_is_two(world: TwoSources) -> None:
    times = "conversation_id, chat_id, source, channel, agent_id, first_response_seconds"
    assert world.facts(times, "chat_response_times") == [
        ("b2chat:17", "17", "b2chat", "whatsapp", "ana", 120),
        ("toy:17", "toy:17", "toy", "telegram", "toy:ana", 300),
    ]
    turns = "conversation_id, source, channel, reply_seconds, customer_message_count, agent_message_count"
    assert world.facts(turns, "reply_turns") == [
        ("b2chat:17", "b2chat", "whatsapp", 120, 1, 1),
        ("toy:17", "toy", "telegram", 300, 1, 1),
    ]
    states = world.ask("select conversation_id, count(*) from marts.sla_chats group by 1 order by 1")
    assert len({row["count"] for row in states}) == 1 and [row["conversation_id"] for row in states] == [
        "b2chat:17",
        "toy:17",
    ]


def test_the_heatmap_counts_both_sources_and_each_of_them_and_each_channel_by_itself(world: TwoSources) -> None:
    cells = world.ask(
        "select scope, scope_id, chat_count, mean_first_response_seconds from marts.heatmap_cells "
        "where direction_filter = 'all' and office_hours_filter = 'all' and scope in ('all', 'channel', 'source') "
        "and day_of_week = 3 and hour = 9 order by 1, 2"
    )
    assert [tuple(cell.values()) for cell in cells] == [
        ("all", "all", 2, None),
        ("channel", "telegram", 1, 300),
        ("channel", "whatsapp", 1, 120),
        ("source", "b2chat", 1, 120),
        ("source", "toy", 1, 300),
    ]
    weeks = world.ask(
        "select scope_id, chat_count, mean_first_response_seconds, slowest_mean_seconds from marts.weekly_response_time_summary "
        "where week_start = '2025-09-29' and direction_filter = 'all' and office_hours_filter = 'all' "
        "and (scope = 'all' or scope = 'source') order by 1"
    )
    assert [tuple(week.values()) for week in weeks] == [
        ("all", 2, None, None),
        ("b2chat", 1, 120, None),
        ("toy", 1, 300, None),
    ]
    shown = world.ask(
        "select scope_id, chat_count, mean_first_response_seconds, band, has_enough_chats from marts.weekly_response_time_heatmap "
        "where week_start = '2025-09-29' and day_of_week = 3 and hour = 9 and direction_filter = 'all' "
        "and office_hours_filter = 'all' and (scope = 'all' or scope = 'source') order by 1"
    )
    assert [tuple(cell.values()) for cell in shown] == [
        ("all", 2, None, "no_data", False),
        ("b2chat", 1, 120, "fast", False),
        ("toy", 1, 300, "fast", False),
    ]
    drilled = "select distinct conversation_id, source from marts.heatmap_cell_chats order by 1"
    assert [tuple(row.values()) for row in world.ask(drilled)] == [("b2chat:17", "b2chat"), ("toy:17", "toy")]


def test_a_chat_and_a_note_have_a_count_and_a_rate_together_and_each_its_own_times(world: TwoSources) -> None:
    both = {"all", "incoming", "none"}  # all, a direction, chats without a department
    times = world.ask(
        "select scope_id, count, sum_seconds, mean_seconds, p50_seconds, max_seconds from marts.response_times_daily "
        "where metric = 'first_response' and clock = 'wall' and scope in ('all', 'source', 'direction', 'department')"
    )
    assert {row.pop("scope_id"): tuple(row.values()) for row in times} == {
        **{member: (2, None, None, None, None) for member in both},
        "b2chat": (1, 120, 120, 120, 120),
        "toy": (1, 300, 300, 300, 300),
    }
    days = world.ask(
        "select chat_count, first_response_count, mean_first_response_seconds, p50_reply_seconds, sla_overall_wall_met_count, "
        "sla_overall_wall_breached_count, sla_overall_wall_rate from marts.account_daily where chat_count > 0"
    )
    # Both were answered within 300 s, and all of either within two hours.
    assert [tuple(day.values()) for day in days] == [(2, 2, None, None, 2, 0, 1)]
    judged = world.ask(
        "select scope_id, met_count, rate from marts.sla_daily where scope in ('all', 'source') and metric = 'first_response' "
        "and clock = 'wall' order by 1"
    )
    assert [tuple(row.values()) for row in judged] == [("all", 2, 1), ("b2chat", 1, 1), ("toy", 1, 1)]
    periods = world.ask(
        "select distinct scope_id, count, mean_seconds from marts.response_times_by_direction where metric = 'first_response' "
        "and clock = 'wall' and scope in ('all', 'source') order by 1"
    )
    assert [tuple(row.values()) for row in periods] == [("all", 2, None), ("b2chat", 1, 120), ("toy", 1, 300)]


def test_one_source_stops_and_the_other_goes_on_while_both_are_told(world: TwoSources) -> None:
    def stop(served: int) -> None:
        raise SourceError("toy: no answer")

    with psycopg.connect(world.url, autocommit=True) as conn:
        # It was last heard of three days ago.
        for table, times in {"ops.page_loads": ["loaded_at"], "ops.sync_logs": ["started_at", "completed_at"]}.items():
            moved = ", ".join(f"{name} = {name} - interval '3 days'" for name in times)
            conn.execute(f"update {table} set {moved} where source = 'toy'")
    with pytest.raises(SourceError):
        world.sync_toy(ToySource([NOTE], before_page=stop))
    world.source.records["chats"].append(chat("18", agent=AGENT, **ANSWERED))
    world.sync()
    world.build_facts()

    assert [row[0] for row in world.facts("conversation_id", "chat_response_times")] == [
        "b2chat:17",
        "b2chat:18",
        "toy:17",
    ]
    health = world.ask(
        "select distinct on (source) source, freshness, failures from marts.sync_health "
        "where entity_type in ('chats', 'notes') order by source, local_date desc"
    )
    assert [tuple(row.values()) for row in health] == [("b2chat", "fresh", 0), ("toy", "lost", 1)]
    (fresh,) = world.ask("select freshness from marts.data_freshness where mart = 'chat_response_times'")
    assert fresh["freshness"] == "lost", "a mart knows no more than its furthest source"
