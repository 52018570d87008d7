"""Times and their credit while chats change hands, close and open again: each file of the data once failed.

Replayed over HTTP in three syncs, each built by itself; the loads bear the times that the cases name. Times are local
(America/Bogota, UTC−5).
"""

import io
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from rich.console import Console

from dagster_project.cli import render
from dagster_project.exports.report.reading.report import read_report
from dagster_project.exports.pictures.heatmap import read
from dagster_project.exports.report.period import Period
from tests.support.syncing import sync_b2chat
from dagster_project.sources.b2chat.sandbox.replay import ReplaySource
from tests.support import tables
from tests.support.listed import client_of, serving
from tests.support.world import World

CASES = Path(__file__).parents[2] / "data" / "times_and_credit"
THROUGHOUT = ("survey", "no_pickup", "agent_previous_day", "slowest_slot", "bot_evening")
STEPS = (
    ("transfer_v1", "transfer_steps_v1", "who_had_the_chat_sync1"),
    ("transfer_v2", "transfer_steps_v2", "who_had_the_chat_sync2"),
    ("transfer_v2", "transfer_steps_v2", "who_had_the_chat_sync3"),
)
SEEN = {
    "transfer": ("2025-10-16 10:05", "2025-10-16 11:05"),
    "transfer-steps": ("2025-10-16 14:05", "2025-10-16 15:05"),
    **dict.fromkeys(
        ("s1-deactivated", "s2-three", "s3-old-pickup", "s4-new-pickup"),
        ("2026-11-26 13:16:47", "2026-11-26 13:21:21", "2026-11-26 13:25:51"),
    ),
}
PERIODS = ((date(2025, 10, 1), date(2025, 10, 27)), (date(2026, 11, 26), date(2026, 11, 26)))
MARTS = ("agent_daily", "response_times_daily", "sla_daily", "backlog_hourly", "weekly_response_time_summary",
         "heatmap_cell_breakdown")


@pytest.fixture(scope="module")
def world(new_database: Callable[[], str]) -> Iterator[World]:
    with serving(None) as sandbox:
        made = World(new_database(), sandbox)
        for step, files in enumerate(STEPS):
            sandbox._source = ReplaySource(*(CASES / f"{name}.json" for name in (*THROUGHOUT, *files)))
            with client_of(sandbox) as client:
                for first, last in PERIODS:
                    days = {"start_date": first, "today": last, "day_from": first, "day_to": last}
                    sync_b2chat(made.url, client, entity="chats", mode="backfill", triggered_by="test", **days)  # type: ignore[arg-type]
            _stamp(made.url, step)
            if step == 1:
                made.run(*MARTS)
            else:  # at last everything, with all of its tests: a report reads most of it
                made.build(*(MARTS if step == 0 else ()))
        yield made


def _stamp(url: str, step: int) -> None:
    with psycopg.connect(url) as conn:
        for key, seen in SEEN.items():
            conn.execute("update raw.b2chat_chats set loaded_at = %s where chat_id = %s and version = %s",
                         [f"{seen[min(step, len(seen) - 1)]}-05", key, step + 1])


def replies(world: World, chat: str) -> list[tuple[Any, ...]]:
    query = "select agent_id, reply_seconds from marts.reply_turns where chat_id = %s order by turn_number"
    rows = world.ask(query, chat)
    return [tuple(row.values()) for row in rows]


def credited(world: World, chat: str) -> tuple[Any, ...]:
    found = world.one("marts.chat_response_times", "chat_id", chat)
    return tuple(found[name] for name in ("pickup_seconds", "pickup_agent_id", "first_response_seconds",
                                          "first_response_agent_id"))


def test_what_was_answered_before_a_transfer_stays_answered_and_its_agents(world: World) -> None:
    assert replies(world, "transfer") == [("ana", 120), ("bea", 480)]
    assert credited(world, "transfer") == (60, "ana", 120, "ana")
    rows = world.ask("select * from marts.agent_daily where local_date = '2025-10-16' order by agent_id")
    assert [(row["agent_id"], row["picked_up_chat_count"], row["pickup_count"], row["sum_pickup_seconds"],
             row["first_response_count"], row["sum_first_response_seconds"]) for row in rows] == [
        ("ana", 2, 2, 120, 2, 240), ("bea", 0, 0, None, 0, None)]
    assert [(row["transfer_in_count"], row["transfer_out_count"]) for row in rows] == [(0, 2), (2, 0)]


def test_an_unanswered_question_after_a_transfer_waits_from_when_it_was_asked(world: World) -> None:
    assert replies(world, "transfer-steps") == [("ana", 120), ("bea", None)]
    waiting = world.one("marts.reply_turns", "turn_number = 2 and chat_id", "transfer-steps")
    assert waiting["first_customer_at"].astimezone(UTC) == datetime(2025, 10, 16, 19, 55, tzinfo=UTC)
    assert credited(world, "transfer-steps") == (60, "ana", 120, "ana")


def test_every_table_credits_pickup_and_first_response_to_the_agent_who_gave_them(world: World) -> None:
    day = date(2025, 10, 16)
    times = world.ask("select scope_id, metric, count, sum_seconds from marts.response_times_daily "
                      "where scope = 'agent' and clock = 'wall' and period_start = %s "
                      "and metric in ('pickup', 'first_response') order by 2", day)
    assert [tuple(row.values()) for row in times] == [("ana", "first_response", 2, 240), ("ana", "pickup", 2, 120)]
    slas = world.ask("select agent_id, metric, wall_state from marts.sla_chats where chat_id = 'transfer'")
    givers = {"pickup": "ana", "first_response": "ana", "avg_reply": "bea", "resolution": "bea", "overall": "bea"}
    assert {row["metric"]: row["agent_id"] for row in slas} == givers
    assert {row["wall_state"] for row in slas if row["metric"] in ("pickup", "first_response")} == {"met"}
    cells = world.ask("select agent_id, sum(chat_count) as chats from marts.heatmap_cell_breakdown "
                      "where week_start = '2025-10-13' and dimension = 'agent' and member = 'ana' "
                      "and agent_id is not null and direction_filter = 'all' and office_hours_filter = 'all' "
                      "group by 1 order by 1")
    assert [tuple(row.values()) for row in cells] == [("all", 2), ("ana", 2)]


def test_what_was_written_to_the_bot_waits_from_the_opening_in_reply_response_backlog_and_sla(world: World) -> None:
    assert replies(world, "bot-evening") == [("ana", 90)]
    assert credited(world, "bot-evening") == (30, "ana", 90, "ana")
    states = world.ask("select metric, wall_state, actual_seconds from marts.sla_chats where chat_id = 'bot-evening'")
    assert {(row["wall_state"], row["actual_seconds"]) for row in states
            if row["metric"] in ("first_response", "avg_reply")} == {("met", 90)}
    waits = world.ask("select state, extract(epoch from left_at - entered_at)::integer as seconds "
                      "from intermediate.int_backlog_intervals where chat_id = 'bot-evening' and state like 'waiting%%'")
    assert {row["seconds"] for row in waits} <= {30, 90}


def test_what_is_sent_after_the_close_is_no_reply_and_nobody_waits_for_one(world: World) -> None:
    assert replies(world, "survey") == [("ana", 600)]
    found = world.one("marts.chat_response_times", "chat_id", "survey")
    assert (found["reply_count"], found["avg_reply_seconds"]) == (1, 600)
    assert (found["incoming_message_count"], found["outgoing_message_count"]) == (2, 3)


def test_without_a_pickup_the_first_response_begins_what_people_answer(world: World) -> None:
    assert replies(world, "no-pickup") == [("ana", 60)]
    assert credited(world, "no-pickup") == (None, None, 60, "ana")


def test_the_day_before_of_an_agent_who_only_had_an_open_chat_is_the_calendars(world: World) -> None:
    found = world.one("marts.agent_daily", "local_date = '2025-10-02' and agent_id", "holder")
    assert (found["chat_count"], found["previous_chat_count"], found["chat_count_delta_pct"]) == (0, 1, -100)


def test_who_had_a_chat_is_one_answer_for_replies_work_and_transfers(world: World) -> None:
    expected = {
        "s1-deactivated": [("ana1", None, None)],
        "s2-three": [("ana2", None, "13:21:21"), ("bea2", "13:21:21", "13:21:21"), ("carla2", "13:21:21", None)],
        "s3-old-pickup": [("ana3", None, "13:16:47"), ("bea3", "13:16:47", None)],
        "s4-new-pickup": [("ana4", None, "13:16:47"), ("bea4", "13:16:47", None)],
    }
    writers = {
        "s1-deactivated": ["ana1"] * 7,
        "s2-three": ["ana2"] * 6 + ["carla2"],
        "s3-old-pickup": ["ana3"] * 6 + ["bea3"],
        "s4-new-pickup": ["ana4"] * 6 + ["bea4"],
    }
    for chat, assignments in expected.items():
        rows = world.ask("""
            select agent_id, to_char(nullif(assigned_from, '-infinity') at time zone 'America/Bogota', 'HH24:MI:SS'),
                   to_char(nullif(assigned_to, 'infinity') at time zone 'America/Bogota', 'HH24:MI:SS') as until
            from intermediate.int_agent_assignments where chat_id = %s order by assignment_number""", chat)
        assert [tuple(row.values()) for row in rows] == assignments
        working = world.ask("""
            select activity.agent_id, bool_and(exists (
                select from intermediate.int_agent_assignments as had
                where had.chat_id = activity.chat_id and had.agent_id = activity.agent_id
                    and activity.active_from >= had.assigned_from
                    and activity.active_to <= had.assigned_to)) as is_theirs
            from intermediate.int_agent_activity as activity
            where chat_id = %s and superseded_by_load_id is null group by 1 order by 1""", chat)
        assert [tuple(row.values()) for row in working] == [(agent, True) for agent in sorted(set(writers[chat]))]
        assert [agent for agent, _ in replies(world, chat)][:7] == writers[chat]
    transfers = world.ask("select agent_id, transfer_in_count, transfer_out_count from marts.agent_daily "
                          "where local_date = '2026-11-26' and transfer_in_count + transfer_out_count > 0 order by 1")
    assert [tuple(row.values()) for row in transfers] == [
        ("ana2", 0, 1), ("ana3", 0, 1), ("ana4", 0, 1),
        ("bea2", 1, 1), ("bea3", 1, 0), ("bea4", 1, 0), ("carla2", 1, 0),
    ]


def test_the_slowest_slot_is_the_same_in_mart_terminal_and_report_and_has_enough_chats(world: World) -> None:
    monday = date(2025, 10, 6)
    summary = world.one("marts.weekly_response_time_summary", "agent_id = 'all' and direction_filter = 'all' "
                        "and office_hours_filter = 'all' and week_start", monday)  # type: ignore[arg-type]
    assert (summary["slowest_day_of_week"], summary["slowest_hour"], summary["slowest_chat_count"],
            summary["slowest_mean_seconds"], summary["slot_min_chat_count"]) == (2, 12, 5, 600, 5)
    with psycopg.connect(world.url) as conn:
        heatmap = read(conn, monday)
        report = read_report(conn, Period.week(monday), timezone="America/Bogota")
    assert heatmap.slowest and (heatmap.slowest.day_of_week, heatmap.slowest.hour) == (2, 12)
    console = Console(width=200, record=True, file=io.StringIO())
    render.print_heatmap(console, heatmap)
    assert "of the slots with 5 chats or more: fastest Mar 12h (10m), slowest Mar 12h (10m)" in console.export_text()
    slowest = report.slots[0].cell
    assert (slowest.day_of_week, slowest.hour, slowest.chat_count) == (2, 12, 5)


def test_three_builds_one_after_the_other_equal_one_of_all_that_was_seen(world: World) -> None:
    tables.keep(world.url)
    world.run(*MARTS, full_refresh=True)
    # Agents and departments remember when they were first seen; work that a later load shows otherwise stays, so that
    # its days are counted anew.
    noticed = {"load_id", "created_at", "updated_at", "last_sync_at"}
    leaving_out = {
        "core.agents": noticed,
        "core.departments": noticed,
        "intermediate.int_agent_identities": {"load_id"},
        "intermediate.int_backlog_days": {"counted_until"},
    }
    assert [difference for difference in tables.differences(world.url, leaving_out)
            if not difference.startswith(("intermediate.int_agent_activity: ", "intermediate.int_backlog_intervals: "))] == []
