"""The main job, run as a user runs it, over real HTTP into a real Postgres; what it says is compared with plain Python
over the API's JSON."""

import json
import subprocess
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import anyio
import psycopg
import pytest
from mcp import Client
from psycopg.rows import dict_row

from dagster_project.orchestration.dbt_project import manifest
from dagster_project.questions import definitions
from dagster_project.questions import server as questions
from dagster_project.questions.marts import Marts
from dagster_project.settings import Settings
from dagster_project.sources.b2chat.sandbox.account import Account
from dagster_project.sources.b2chat.sandbox.generator import GeneratedSource
from dagster_project.sources.b2chat.sandbox.source import ChatQuery
from dagster_project.warehouse.access import bi_access
from tests.support import forked_dbt, metricflow, oracle, tables

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., AbstractContextManager[subprocess.Popen[bytes]]]
MONTH_CLOCK = datetime(2026, 3, 16, 5, tzinfo=UTC)
MONTH = {
    "B2CHAT_SANDBOX": "generated",
    "B2CHAT_SANDBOX_CLOCK": MONTH_CLOCK.isoformat(),
    "B2CHAT_SANDBOX_DAYS": "31",
    "B2CHAT_SANDBOX_CHATS_PER_DAY": "60",
    "B2CHAT_SANDBOX_SEED": "11",
}
# Metrics whose marts the semantic layer reads by channel, because a chat has one of them and they add up.
_BY_CHANNEL = {
    "chats_reopened",
    "messages_in",
    "messages_out",
    "surveys_offered",
    "survey_response_rate",
    "bot_chats",
} | {"bot_containment_rate", "broadcasts_sent", "broadcast_answer_rate", "agent_transfers", "department_transfers"}
OF_CHANNELS_ALONE = {"agent": _BY_CHANNEL, "department": _BY_CHANNEL}
HOURS_THAT_PASS = ("int_backlog_hours", "int_backlog_days")
# What may differ between a warehouse that grew and one made anew: when a change was noticed, not what it is now.
NOTICED = {
    "core.agents": {"load_id", "created_at", "updated_at", "last_sync_at"},
    "core.departments": {"load_id", "created_at", "updated_at", "last_sync_at"},
    "intermediate.int_agent_identities": {"load_id"},
    "intermediate.int_backlog_days": {"counted_until"},
}
# First day of a day's period, and of the period before it, for each rollup.
PERIODS: dict[str, tuple[Callable[[date], date], Callable[[date], date]]] = {
    "response_times_daily": (lambda day: day, lambda day: day - timedelta(days=1)),
    "response_times_weekly": (lambda day: day - timedelta(days=day.weekday()), lambda day: day - timedelta(days=7)),
    "response_times_monthly": (lambda day: day.replace(day=1), lambda day: (day - timedelta(days=1)).replace(day=1)),
}


@dataclass(frozen=True)
class Outcome:
    """A first run, and what it was run on."""

    url: str
    answer: dict[str, Any]
    chats: list[oracle.Chat]
    variables: dict[str, str]


@pytest.fixture(scope="module")
def replayed(
    b2chat: Run, new_database: Callable[[], str], conversations_file: Path, new_folder: Callable[[], str]
) -> Outcome:
    """Conversations of a file, replayed; each part of the program works by its own role."""
    variables = {
        "DATABASE_URL": new_database(),
        "B2CHAT_SEPARATE_ROLES": "true",
        "B2CHAT_DATA_DIR": new_folder(),
        "B2CHAT_SANDBOX": "replay",
        "B2CHAT_SANDBOX_FILES": str(conversations_file),
    }
    return Outcome(
        variables["DATABASE_URL"],
        _refresh(b2chat, variables),
        json.loads(conversations_file.read_text())["chats"],
        variables,
    )


@pytest.fixture(scope="module")
def generated(b2chat: Run, new_database: Callable[[], str], new_folder: Callable[[], str]) -> Outcome:
    """A made-up month of the first customer's."""
    variables = MONTH | {"DATABASE_URL": new_database(), "B2CHAT_DATA_DIR": new_folder()}
    answer = _refresh(b2chat, variables)
    account = Account(first_day=date(2026, 2, 13), days=31 + 366 * 20, seed=11, chats_per_day=60)
    source = GeneratedSource(account)
    chats: list[oracle.Chat] = []
    while (page := source.chats(ChatQuery(offset=len(chats), descending=False), MONTH_CLOCK)).records:
        chats += page.records
    assert len(chats) > 500
    return Outcome(variables["DATABASE_URL"], answer, chats, variables)


@pytest.fixture(params=["replayed", "generated"])
def outcome(request: pytest.FixtureRequest) -> Outcome:
    value: Outcome = request.getfixturevalue(request.param)
    return value


def test_every_chat_and_message_arrives_and_counts_by_day_are_the_sources(outcome: Outcome) -> None:
    assert len(outcome.chats) >= 30
    by_day = Counter(chat["created_at"][:10] for chat in outcome.chats)
    messages = Counter(chat["created_at"][:10] for chat in outcome.chats for _ in chat["messages"])
    with psycopg.connect(outcome.url) as conn:
        landed = conn.execute(
            "select left(payload ->> 'created_at', 10), count(*) from raw.b2chat_chats group by 1"
        ).fetchall()
        built = conn.execute("select created_local_date::text, count(*) from core.chats group by 1").fetchall()
        said = conn.execute(
            "select created_local_date::text, count(*) from core.chats join core.messages on chat_id = chats.id "
            "group by 1"
        ).fetchall()
        payloads = conn.execute("select payload from raw.b2chat_chats").fetchall()
    assert dict(landed) == dict(built) == by_day
    assert dict(said) == messages
    assert sorted(json.dumps(row[0], sort_keys=True) for row in payloads) == sorted(
        json.dumps(chat, sort_keys=True) for chat in outcome.chats
    )


@pytest.mark.parametrize(
    "direction", ["all", "incoming", "outgoing", "outgoing_broadcast", "outgoing_all", "converted"]
)
def test_each_cells_mean_p50_p90_and_band_equal_plain_python_over_the_json(outcome: Outcome, direction: str) -> None:
    expected = oracle.cells(chat for chat in outcome.chats if oracle.matches(chat, direction))
    _compare(outcome.url, expected, direction=direction, agent="all")


def test_an_agents_own_heatmap_holds_that_agents_chats(outcome: Outcome) -> None:
    busiest = Counter(chat["agent"]["username"] for chat in outcome.chats if chat["agent"]).most_common(1)[0][0]
    expected = oracle.cells(chat for chat in outcome.chats if (chat["agent"] or {}).get("username") == busiest)
    _compare(outcome.url, expected, direction="all", agent=busiest)


def test_each_turn_and_its_reply_is_the_one_read_from_the_json_message_by_message(outcome: Outcome) -> None:
    expected = {
        (chat["chat_id"], number): (
            turn.asked,
            turn.asked_last,
            turn.replied,
            turn.customer_messages,
            turn.agent_messages,
            (chat["agent"] or {}).get("username"),
        )
        for chat in outcome.chats
        for number, turn in enumerate(oracle.turns(chat), start=1)
    }
    with psycopg.connect(outcome.url) as conn:
        rows = conn.execute(
            """
            select chat_id, turn_number, first_customer_at at time zone 'America/Bogota',
                   last_customer_at at time zone 'America/Bogota', replied_at at time zone 'America/Bogota',
                   customer_message_count, agent_message_count, agent_id
            from marts.reply_turns
            """
        ).fetchall()
    assert len(rows) >= 30
    assert {row[:2]: row[2:] for row in rows} == expected


@pytest.mark.parametrize("table", ["response_times_daily", "response_times_weekly", "response_times_monthly"])
def test_each_figure_of_a_rollup_equals_plain_python_over_the_json(outcome: Outcome, table: str) -> None:
    start, before = PERIODS[table]
    times: dict[tuple[date, str, str, str], list[int]] = {}
    for chat, day, metric, seconds in oracle.timings(outcome.chats):
        agent = (chat["agent"] or {}).get("username")
        for scope, scope_id in (("all", "all"), ("agent", agent), ("direction", oracle.direction(chat)[0])):
            if scope_id:
                times.setdefault((start(day), scope, scope_id, metric), []).append(seconds)
    with psycopg.connect(outcome.url, row_factory=dict_row) as conn:
        rows = conn.execute(
            f"select * from marts.{table} where clock = 'wall' and scope in ('all', 'agent', 'direction')"
        ).fetchall()
    found = {(row["period_start"], row["scope"], row["scope_id"], row["metric"]): row for row in rows}
    assert found.keys() == times.keys()
    for (period, *slice_), row in found.items():
        figures = oracle.figures(times[period, *slice_])
        assert {name: row[name] for name in figures} == pytest.approx(figures, rel=1e-12)
        earlier = times.get((before(period), *slice_))
        past = oracle.figures(earlier) if earlier else {"count": 0}
        for name in ("count", "mean_seconds", "p50_seconds", "p90_seconds"):
            assert row[f"previous_{name}"] == (pytest.approx(past[name], rel=1e-12) if name in past else None)
        change = 100 * (figures["mean_seconds"] / past["mean_seconds"] - 1) if past.get("mean_seconds") else None
        assert row["mean_delta_pct"] == (pytest.approx(change, rel=1e-9, abs=1e-9) if change is not None else None)


def test_traffic_and_backlog_equal_plain_python_over_the_json(outcome: Outcome) -> None:
    with psycopg.connect(outcome.url) as conn:
        traffic = conn.execute(
            "select cell_date, hour, chat_count, incoming_chat_count, message_count, incoming_message_count "
            "from marts.conversation_traffic_heatmap where scope = 'all' and chat_count + message_count > 0"
        ).fetchall()
        hours = conn.execute(
            "select hour_at, open_count, waiting_for_pickup_count, waiting_for_answer_count "
            "from marts.backlog_hourly where scope = 'all' order by hour_at"
        ).fetchall()
    weeks = {oracle.week_start(created) for chat in outcome.chats if (created := oracle.local(chat["created_at"]))}
    assert {row[:2]: list(row[2:]) for row in traffic} == {
        key: counts for key, counts in oracle.traffic(outcome.chats).items() if key[0] >= min(weeks)
    }
    expected = oracle.backlog(([chat] for chat in outcome.chats), ZoneInfo("America/Bogota"), [row[0] for row in hours])
    states = ("open", "waiting_for_pickup", "waiting_for_answer")
    assert [row[1:] for row in hours] == [
        tuple(len(expected.get((row[0], state), [])) for state in states) for row in hours
    ]
    assert any(row[3] for row in hours)


def test_any_week_agent_and_filters_are_168_rows_from_a_plain_select(outcome: Outcome) -> None:
    with psycopg.connect(outcome.url) as conn:
        week = conn.execute("select max(created_week_start) from marts.chat_response_times").fetchone()
        agents = conn.execute("select id from core.agents union all select 'all'").fetchall()
        for (agent,) in agents:
            for hours in ("all", "office_hours", "non_office_hours"):
                rows = conn.execute(
                    "select day_of_week, hour, cell_date from marts.weekly_response_time_heatmap where week_start = %s "
                    "and agent_id = %s and direction_filter = 'incoming' and office_hours_filter = %s",
                    [week and week[0], agent, hours],
                ).fetchall()
                assert len({row[:2] for row in rows}) == len(rows) == 168
                assert all(row[2].isoweekday() % 7 == row[0] for row in rows)


def test_office_hours_and_the_other_hours_make_up_the_week(outcome: Outcome) -> None:
    with psycopg.connect(outcome.url) as conn:
        sums = conn.execute(
            "select office_hours_filter, sum(chat_count) from marts.weekly_response_time_summary "
            "where agent_id = 'all' and direction_filter = 'all' group by 1"
        ).fetchall()
    counts = dict(sums)
    assert counts["office_hours"] + counts["non_office_hours"] == counts["all"]
    assert counts["office_hours"] > 0


def test_every_chat_has_five_rows_of_the_sla_however_it_went(outcome: Outcome) -> None:
    with psycopg.connect(outcome.url) as conn:
        rows = conn.execute("select chat_id, count(distinct metric) from marts.sla_chats group by 1").fetchall()
    assert dict(rows) == dict.fromkeys((chat["chat_id"] for chat in outcome.chats), 5)


def test_the_days_of_account_channels_departments_and_sources_have_one_sum(outcome: Outcome) -> None:
    sums = (
        "select local_date, sum(chat_count), sum(reply_count), sum(sum_first_response_seconds) from marts.{} group by 1"
    )
    with psycopg.connect(outcome.url) as conn:
        account, *parts = (
            sorted(conn.execute(sums.format(mart)).fetchall())
            for mart in ("account_daily", "channel_daily", "department_daily", "source_daily")
        )
    assert parts == [account] * 3
    assert sum(row[1] for row in account) == len(outcome.chats)


def test_a_second_run_says_that_nothing_changed_and_writes_no_data_row(generated: Outcome, b2chat: Run) -> None:
    before = tables.written(generated.url)
    again = _refresh(b2chat, generated.variables)
    assert {(sync["new"], sync["changed"]) for sync in again["syncs"]} == {(0, 0)}
    assert sum(sync["read"] for sync in again["syncs"]) > 0
    # A backlog goes on with the hours that pass.
    assert {
        table: counts for table, counts in tables.written(generated.url).items() if not table.endswith(HOURS_THAT_PASS)
    } == {table: counts for table, counts in before.items() if not table.endswith(HOURS_THAT_PASS)}


def test_as_the_clock_moves_on_open_chats_are_answered_and_the_marts_follow(generated: Outcome, b2chat: Run) -> None:
    later = generated.variables | {"B2CHAT_SANDBOX_CLOCK": (MONTH_CLOCK + timedelta(days=1)).isoformat()}
    with psycopg.connect(generated.url, autocommit=True) as conn:
        unanswered = {
            row[0]
            for row in conn.execute(
                "select chat_id from marts.chat_response_times where opened_at is not null and response_at is null"
            )
        }
        answer = _refresh(b2chat, later)
        answered = {
            row[0]
            for row in conn.execute("select chat_id from marts.chat_response_times where response_at is not null")
        }
        versions = conn.execute("select count(*) from raw.b2chat_chats where version > 1").fetchone()
    chats = next(sync for sync in answer["syncs"] if sync["entity"] == "chats")
    assert chats["new"] > 0 and chats["changed"] > 0
    assert unanswered & answered
    assert versions == (chats["changed"],)
    # The project is the one of the last build: its views and seeds stand.
    built = (Path(generated.variables["B2CHAT_DATA_DIR"]) / "logs" / "dbt.log").read_text()
    assert "incremental model marts.sla_chats" in built
    assert "view model" not in built and "seed file" not in built


def test_no_table_has_a_row_for_each_chat_and_day(generated: Outcome) -> None:
    """Some chats of the month are open to this day; a spine would have a row for each day since."""
    with psycopg.connect(generated.url) as conn:
        names = conn.execute(
            """
            select table_schema || '.' || table_name from information_schema.columns
            join information_schema.tables using (table_schema, table_name)
            where column_name = 'chat_id' and table_type = 'BASE TABLE'
                and table_schema in ('core', 'intermediate', 'marts')
            """
        ).fetchall()
        for (table,) in names:
            longest = conn.execute(
                f"""
                select count(*) - (select count(*) from core.messages where chat_id = one.chat_id)
                from {table} as one group by chat_id order by 1 desc limit 1
                """
            ).fetchone()
            assert (longest or (0,))[0] < 20, table
    assert len(names) > 5


def test_tables_built_step_by_step_equal_those_built_at_once(generated: Outcome) -> None:
    tables.keep(generated.url)
    done = forked_dbt.run(generated.url, "run", "--full-refresh", B2CHAT_TIMEZONE="America/Bogota")
    assert done.returncode == 0, done.stdout[-3000:]
    # Work that a later load shows otherwise stays, so that the days which it lay on are counted anew.
    assert [
        difference
        for difference in tables.differences(generated.url, leaving_out=NOTICED)
        if not difference.startswith(("intermediate.int_agent_activity: ", "intermediate.int_backlog_intervals: "))
    ] == []


@pytest.mark.parametrize("scope", ["all", "agent", "department", "channel"])
def test_the_semantic_layer_answers_what_the_marts_say_of_each_week(generated: Outcome, scope: str) -> None:
    pytest.importorskip("metricflow", reason="the extra metricflow is not installed")
    layer = metricflow.SemanticLayer(generated.url)
    with psycopg.connect(generated.url) as conn:
        rows = conn.execute(
            "select metric, period_start, scope_id, value from marts.kpi_weekly where scope = %s and count > 0", [scope]
        ).fetchall()
    # A state of the backlog stands in the mart for each scope apart, and so it is a metric for each.
    kpis = {row[0] for row in rows} - OF_CHANNELS_ALONE.get(scope, set())
    named = {f"{scope}_{kpi}" if kpi.startswith("backlog_") and scope != "all" else kpi: kpi for kpi in kpis}
    by = () if scope == "all" else (scope,)
    answered = {
        (kpi, row["metric_time__week"].date(), row[scope] if by else "all"): float(row[metric])
        for row in layer.ask(*named, by=("metric_time__week", *by))
        for metric, kpi in named.items()
        if row["metric_time__week"] and row[metric] and (not by or row[scope])
    }
    expected = {(metric, week, scope_id): value for metric, week, scope_id, value in rows if metric in kpis and value}
    assert len(kpis) > 40 and answered.keys() == expected.keys()
    assert answered == pytest.approx(expected)


def test_questions_in_plain_words_are_answered_with_the_marts_own_rows(generated: Outcome, new_folder: Any) -> None:
    settings = Settings.load(database_url=generated.url, data_dir=new_folder())
    server = questions.build(Marts(bi_access.url_with_password(settings, generated.url), "America/Bogota"))

    async def ask() -> dict[str, Any]:
        async with Client(server) as client:
            one = {"metric": "first_response_p50", "scope": "agent"}
            cell = {"day_of_week": 1, "hour": 9}
            asked = {"incoming": one, "all": one | {"direction": "all"}, "week": {}, "cell": cell, "freshness": {}}
            tools = {"week": "heatmap", "cell": "heatmap_cell", "freshness": "freshness"}
            return {
                key: (await client.call_tool(tools.get(key, "query_metric"), arguments)).structured_content
                for key, arguments in asked.items()
            }

    answers = anyio.run(ask)
    rows = "select period_start::text, scope_id, value, count from marts.{} where scope = 'agent' and {}"
    metric = "metric = 'first_response_p50' order by 1, 2"
    with psycopg.connect(generated.url) as conn:
        of_all = conn.execute(rows.format("kpi_weekly", metric)).fetchall()  # type: ignore[arg-type]
        directed = f"period = 'week' and direction = 'incoming' and {metric}"
        incoming = conn.execute(rows.format("kpis_by_direction", directed)).fetchall()  # type: ignore[arg-type]
        known = {row[0] for row in conn.execute("select distinct metric from marts.kpis_by_direction")}
    for name, expected in (("all", of_all), ("incoming", incoming)):
        found = [(row["period_start"], row["id"], row["value"], row["count"]) for row in answers[name]["rows"]]
        assert len(found) > 20 and sorted(found) == expected
    assert known <= {one.name for one in definitions.metrics().values() if one.directions != "none"}
    [monday_at_nine] = [one for one in answers["week"]["cells"] if (one["day_of_week"], one["hour"]) == (1, 9)]
    assert answers["cell"]["count"] == monday_at_nine["chat_count"] == len(answers["cell"]["slowest_chats"])
    assert sum(one["chat_count"] for one in answers["week"]["cells"]) == answers["week"]["count"] > 50
    assert all(answer["freshness"]["is_made_up"] for answer in answers.values())
    assert answers["freshness"]["freshness"]["state"] == "fresh"


def test_each_data_test_is_a_check_that_the_first_build_asked(outcome: Outcome) -> None:
    nodes = json.loads(manifest().read_bytes())["nodes"].values()
    tests = {node["name"] for node in nodes if node["resource_type"] == "test"}
    with psycopg.connect(outcome.url) as conn:
        first = conn.execute(
            "select distinct on (check_name) check_name, execution_status from dagster.asset_check_executions "
            "order by check_name, id"
        ).fetchall()
    assert {name for name, status in first if status in {"SUCCEEDED", "FAILED"}} >= tests  # a warning is a failed check


def test_what_the_sandbox_makes_is_marked_as_made(generated: Outcome) -> None:
    with psycopg.connect(generated.url) as conn:
        assert conn.execute("select kind from ops.data_source").fetchone() == ("sandbox",)
        assert conn.execute("select count(*) from core.chats where alias not ilike '%sandbox%'").fetchone() == (0,)


def _refresh(b2chat: Run, variables: dict[str, str]) -> dict[str, Any]:
    done = b2chat("refresh", "--json", **variables)
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-3000:]
    answer: dict[str, Any] = json.loads(done.stdout)
    assert answer["status"] == "success"
    return answer


def _compare(url: str, expected: dict[oracle.CellKey, list[int]], *, direction: str, agent: str) -> None:
    weeks: dict[date, dict[tuple[int, int], float]] = {}
    for (week, day, hour), values in expected.items():
        weeks.setdefault(week, {})[day, hour] = sum(values) / len(values)
    bands = {(week, *cell): band for week, means in weeks.items() for cell, band in oracle.bands(means).items()}
    with psycopg.connect(url) as conn:
        rows = conn.execute(
            """
            select week_start, day_of_week, hour, chat_count, mean_first_response_seconds, p50_first_response_seconds,
                   p90_first_response_seconds, band
            from marts.weekly_response_time_heatmap
            where agent_id = %s and direction_filter = %s and office_hours_filter = 'all' and chat_count > 0
            """,
            [agent, direction],
        ).fetchall()
    assert {row[:3]: row[3] for row in rows} == {key: len(values) for key, values in expected.items()}
    assert {row[:3]: row[7] for row in rows} == bands
    for week, day, hour, _, mean, p50, p90, _ in rows:
        values = expected[week, day, hour]
        assert mean == pytest.approx(sum(values) / len(values), rel=1e-12)
        assert p50 == pytest.approx(oracle.percentile(values, 0.5), rel=1e-12)
        assert p90 == pytest.approx(oracle.percentile(values, 0.9), rel=1e-12)
