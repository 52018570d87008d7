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

from dagster_project.dashboard import filters
from dagster_project.dashboard.account import account
from dagster_project.exports.pictures import heatmap
from dagster_project.exports.report.data.about import Filter
from dagster_project.exports.report.period import Period
from dagster_project.exports.report.reading.breakdowns import breakdown
from dagster_project.exports.report.reading.selection import Selection
from dagster_project.exports.requests import ExportRequest, with_ids
from dagster_project.ingestion.sync import sync
from dagster_project.orchestration.dbt_project import DBT_DIR
from dagster_project.questions import asking
from dagster_project.questions.definitions import metric
from dagster_project.sources.contract import Scope, SourceError
from tests.support import forked_dbt
from tests.support.metricflow import SemanticLayer
from tests.support.listed import AGENT, ListedSource, chat, message, serving
from tests.support.toy_source import NOTES, TABLES, ToySource
from tests.support.world import World

TOY = Path(forked_dbt.__file__).parent / "toy_dbt"
UNIONS = ("conversations", "messages", "events", "agent_assignments")
FACTS = ("chat_response_times", "reply_turns", "sla_chats", "heatmap_cells", "heatmap_cell_chats")
TIMES = ("response_times_daily", "account_daily", "sla_daily", "weekly_response_time_heatmap", "weekly_response_time_summary", "scope_members", "data_span")
READ = ("kpis_by_direction", "breakdown_by_direction", "data_sources", "data_freshness", "sync_health")
# Of the tests this one alone, with the marts that it asks.
ASKED = "assert_no_time_is_of_several_sources"
BUILT = (*(f"+{one}" for one in (*FACTS, *TIMES, *READ, ASKED)), "--indirect-selection", "empty")
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

    def build_both(self) -> None:
        done = forked_dbt.run(self.url, "build", "--select", *BUILT, project=self.project, B2CHAT_TIMEZONE="America/Bogota")
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
        two.build_both()
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
    entities.write_text(entities.read_text().replace("'b2chat': ['chats']", "'b2chat': ['chats'], 'toy': ['notes']"))
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


def test_people_are_shown_the_first_source_and_told_why_all_have_no_times(world: TwoSources) -> None:
    week = date(2025, 9, 29)
    with psycopg.connect(world.url) as conn:
        known = account(conn, "America/Bogota")
        assert known and known.has_several_sources
        asked_for_nobody, asked_for_all = filters.read({}, known), filters.read({"who": "all"}, known)
        assert (asked_for_nobody.member.key, asked_for_nobody.query()) == ("source:b2chat", "week=2025-09-29")
        assert not asked_for_all.member.has_times and "who=all" in asked_for_all.query()
        assert with_ids(conn, ExportRequest("report", "pdf")).scope_id == "b2chat"
        assert with_ids(conn, ExportRequest("report", "pdf", scope="all")).scope == "all"

        shown, together = heatmap.read(conn, week), heatmap.read(conn, week, source="all")
        assert (shown.source, shown.chat_count, shown.mean_seconds) == ("b2chat", 1, 120)
        assert (together.source, together.chat_count, together.mean_seconds) == ("all", 2, None)

        days: dict[str, Any] = {"grain": "day", "first": date(2025, 10, 1), "last": None, "wanted": [], "direction": None}
        of_all = asking.query(conn, metric("first_response_mean"), scope="all", **days)
        assert ([(row.value, row.count) for row in of_all.rows], "several sources («b2chat», «toy»)" in (of_all.note or "")) == (
            [(None, 2)],
            True,
        )
        by_source = asking.query(conn, metric("first_response_mean"), scope="source", **days)
        assert ([(row.id, row.value) for row in by_source.rows], by_source.note) == ([("b2chat", 120), ("toy", 300)], None)

        known_until = known.freshness
        of_source = Selection(conn, Period.week(week), Filter("source", "b2chat", "b2chat"), known_until, None)
        assert [member.id for kind in ("agent", "department", "channel") for member in breakdown(of_source, kind)] == [
            "ana",
            "whatsapp",
        ], "who is of both sources is in neither's tables"


def test_the_semantic_layer_has_times_of_each_source_and_of_both_a_count(world: TwoSources) -> None:
    pytest.importorskip("metricflow", reason="the extra metricflow is not installed")
    layer = SemanticLayer(world.url)
    asked = ("first_response_mean", "reply_p50", "first_response_count")
    both = [tuple(row.values()) for row in layer.ask(*asked, where=("{{ Dimension('chat__direction') }} = 'incoming'",))]
    assert both == [(None, None, 2)]
    of_each = {row.pop("chat__source"): tuple(row.values()) for row in layer.ask(*asked, by=("chat__source",))}
    assert of_each == {"b2chat": (120, 120, 1), "toy": (300, 300, 1)}


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
    with psycopg.connect(world.url, autocommit=True) as conn:
        # And what it had brought is deleted with the newest load.
        newest = "(select max(load_id) from ops.page_loads)"
        conn.execute(f"update raw.toy_notes set deleted_at = now(), load_id = {newest}")
    world.build_both()

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
    # With one source left, all has times again, also of days that no load touched.
    assert world.ask("select * from intermediate.int_mixed_members") == []
    (day,) = world.ask("select chat_count, mean_first_response_seconds as mean from marts.account_daily where chat_count > 0")
    assert (day["chat_count"], day["mean"]) == (2, 120)
