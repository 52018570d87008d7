"""Turns and their rollups while chats change: whose a reply is, which day it counts on, and that nothing old stays.

Times are local (America/Bogota, UTC−5). A chat is first as in BEFORE, and at the next sync as in AFTER.
"""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import psycopg
import pytest

from tests.support.syncing import sync_b2chat
from tests.support.listed import AGENT, ListedSource, chat, client_of, message, serving
from tests.support.world import FIRST_DAY, TODAY, World

BEA = {"email": "bea@example.test", "name": "Bea Dos", "username": "bea"}


def asked(at: str) -> dict[str, Any]:
    return message(f"2025-10-{at}:00")


def told(at: str, **fields: Any) -> dict[str, Any]:
    return message(f"2025-10-{at}:00", incoming=False, **fields)


def picked_up(key: str, *messages: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Ana's chat of 2025-10-01, opened at 9:00 and picked up at 9:01, closed after all that is written in it."""
    times = {"opened_at": "2025-10-01 09:00:00", "picked_up_at": "2025-10-01 09:01:00",
             "closed_at": "2025-10-10 10:00:00"}
    return chat(key, agent=AGENT, provider="LIVECHAT", messages=list(messages), **(times | fields))


ASKED_AND_TOLD = (asked("01 09:00"), told("01 09:05"))
BEFORE = [
    picked_up("deactivated", *ASKED_AND_TOLD),
    picked_up("transferred", *ASKED_AND_TOLD, status="RESPONDED_BY_AGENT", closed_at=None),
    picked_up("without-response-time", *ASKED_AND_TOLD, asked("01 09:10"), told("01 09:12"), responded_at=None),
    picked_up("late-reply", asked("01 09:00"), status="PICKED_UP", closed_at=None),
    picked_up("written-after-the-close", asked("01 09:00"), closed_at="2025-10-01 10:00:00"),
    picked_up("reopened", *ASKED_AND_TOLD, responded_at="2025-10-01 09:05:00", closed_at="2025-10-01 10:00:00"),
    # The bot answers before the pick-up; B2Chat takes the agent's answer for the first response.
    picked_up("bot", asked("01 08:50"), told("01 08:50", body="Soy un bot"), told("01 09:05"),
              responded_at="2025-10-01 09:05:00"),
    picked_up("loses-messages", asked("04 09:00"), told("04 09:05"), asked("06 09:00"), told("06 09:05")),
    picked_up("changes-day", asked("07 09:00"), told("07 09:05"), responded_at="2025-10-01 09:20:00",
              created_at="2025-10-07 08:55:00"),
    picked_up("changes-agent", *ASKED_AND_TOLD),
    picked_up("goes-away", asked("08 09:00"), told("08 09:05"), created_at="2025-10-08 08:55:00"),
]
AFTER: dict[str, dict[str, Any]] = {
    "deactivated": {"agent": None},
    "transferred": {"agent": BEA, "messages": [*ASKED_AND_TOLD, asked("01 15:30"), told("01 16:00")]},
    "late-reply": {"messages": [asked("01 09:00"), told("03 09:00")]},
    "written-after-the-close": {"messages": [asked("01 09:00"), told("04 09:00")]},
    "reopened": {
        "opened_at": "2025-10-02 08:00:00", "status": "PICKED_UP", "closed_at": None,
        "messages": [*ASKED_AND_TOLD, asked("02 08:00"), told("02 08:02")],
    },
    "loses-messages": {"messages": [asked("04 09:00")]},
    "changes-day": {"created_at": "2025-10-09 08:55:00", "messages": [asked("09 09:00"), told("09 09:05")]},
    "changes-agent": {"agent": BEA, "department": "Cartera"},
}
ROLLUPS = ("response_times_daily", "response_times_weekly", "response_times_monthly")
STORED = {
    "int_customer_turns": "intermediate.int_customer_turns order by chat_id, turn_number",
    "reply_turns": "marts.reply_turns order by chat_id, turn_number",
    "int_response_times": "intermediate.int_response_times "
                          "order by period, period_start, scope, scope_id, metric, clock",
}
WRITES = """
    select relname, n_tup_ins, n_tup_upd, n_tup_del from pg_stat_user_tables
    where relname in (
        'int_customer_turns', 'int_chat_message_facts', 'reply_turns', 'int_conversation_days', 'int_response_times'
    )
    order by 1
"""


class Changed(World):
    """A warehouse in which every chat was built as it was before, and then as it is after."""

    def refresh(self) -> None:
        """Read all; a day that is empty now was emptied by somebody, who confirms it."""
        with client_of(self.sandbox) as client:
            sync_b2chat(self.url, client, entity="chats", mode="full", start_date=FIRST_DAY, today=TODAY,
                 confirm_deletions=True, triggered_by="test")

    def stored(self) -> dict[str, list[dict[str, Any]]]:
        return {name: self.ask(f"select * from {rows}") for name, rows in STORED.items()}

    def turns(self, key: str) -> list[tuple[Any, ...]]:
        rows = self.ask("select agent_id, replied_local_date, reply_seconds from marts.reply_turns where chat_id = %s "
                        "order by turn_number", key)
        return [tuple(row.values()) for row in rows]

    def replies_of(self, day: date, scope: str = "all", scope_id: str = "all", metric: str = "reply") -> int:
        rows = self.ask("select count from marts.response_times_daily where period_start = %s and scope = %s "
                        "and scope_id = %s and metric = %s and clock = 'wall'", day, scope, scope_id, metric)
        return rows[0]["count"] if rows else 0


@pytest.fixture(scope="module")
def world(new_database: Callable[[], str]) -> Iterator[Changed]:
    with serving(ListedSource([dict(one) for one in BEFORE], [])) as sandbox:
        made = Changed(new_database(), sandbox)
        made.refresh()
        made.build(*ROLLUPS)
        assert [made.replies_of(date(2025, 10, day)) for day in (6, 7, 8)] == [1, 1, 1]
        chats = made.source.records["chats"]
        for one in chats:
            one.update(AFTER.get(one["chat_id"], {}))
        chats[:] = [one for one in chats if one["chat_id"] != "goes-away"]
        # Ana had the chat when it was first seen, at noon; the transfer was seen at three.
        with psycopg.connect(made.url) as conn:
            conn.execute("update raw.b2chat_chats set loaded_at = '2025-10-01 12:00:00-05' where chat_id = 'transferred'")
        made.refresh()
        with psycopg.connect(made.url) as conn:
            conn.execute("update raw.b2chat_chats set loaded_at = '2025-10-01 15:00:00-05' where chat_id = 'transferred'")
        made.build(*ROLLUPS)
        yield made


def test_an_agent_who_is_deactivated_keeps_the_replies_and_they_stay_an_agents(world: Changed) -> None:
    assert world.one("core.chats", "id", "deactivated")["agent_id"] is None
    assert world.turns("deactivated") == [("ana", date(2025, 10, 1), 300)]


def test_a_transfer_in_the_middle_of_a_chat_parts_its_replies_and_nobody_is_counted_twice(world: Changed) -> None:
    assert world.turns("transferred") == [("ana", date(2025, 10, 1), 300), ("bea", date(2025, 10, 1), 1800)]
    day = date(2025, 10, 1)
    everyone = world.ask("select distinct scope_id from marts.response_times_daily where scope = 'agent'")
    assert sum(world.replies_of(day, "agent", row["scope_id"]) for row in everyone) == world.replies_of(day)


def test_a_chat_of_which_b2chat_tells_no_response_time_has_its_replies_timed(world: Changed) -> None:
    found = world.one("marts.chat_response_times", "chat_id", "without-response-time")
    assert (found["first_response_seconds"], found["reply_count"], found["avg_reply_seconds"]) == (None, 2, 210)
    assert world.turns("without-response-time") == [("ana", date(2025, 10, 1), 300), ("ana", date(2025, 10, 1), 120)]


def test_a_late_reply_lands_and_counts_on_its_own_day(world: Changed) -> None:
    assert world.turns("late-reply") == [("ana", date(2025, 10, 3), 2 * 86400)]
    assert world.replies_of(date(2025, 10, 3)) == 1


def test_a_message_after_the_close_is_no_reply(world: Changed) -> None:
    assert world.turns("written-after-the-close") == [("ana", None, None)]


def test_a_reopened_chat_keeps_its_replies_and_has_no_negative_first_response(world: Changed) -> None:
    found = world.one("marts.chat_response_times", "chat_id", "reopened")
    assert (found["first_response_seconds"], found["is_first_response_negative"]) == (None, True)
    assert world.turns("reopened") == [("ana", date(2025, 10, 1), 300), ("ana", date(2025, 10, 2), 120)]


def test_a_bots_message_is_neither_a_reply_nor_the_first_response(world: Changed) -> None:
    assert world.one("marts.chat_response_times", "chat_id", "bot")["first_response_seconds"] == 300
    assert world.turns("bot") == [("ana", date(2025, 10, 1), 300)]  # from the opening on, as the first response


def test_a_reply_that_is_gone_leaves_its_day_and_its_turn_waits(world: Changed) -> None:
    assert world.turns("loses-messages") == [("ana", None, None)]
    assert world.replies_of(date(2025, 10, 4)) == world.replies_of(date(2025, 10, 6)) == 0


def test_a_chat_that_changes_its_day_counts_on_the_new_one_alone(world: Changed) -> None:
    old, new = date(2025, 10, 7), date(2025, 10, 9)
    assert (world.replies_of(old), world.replies_of(new)) == (0, 1)
    assert (world.replies_of(old, metric="resolution"), world.replies_of(new, metric="resolution")) == (0, 1)


def test_a_chat_that_is_deleted_counts_on_no_day(world: Changed) -> None:
    assert world.one("marts.chat_response_times", "chat_id", "goes-away")["is_deleted"]
    assert world.replies_of(date(2025, 10, 8)) == 0


def test_after_an_empty_day_the_day_before_has_a_count_of_0_and_no_time(world: Changed) -> None:
    (row,) = world.ask("select * from marts.response_times_daily where period_start = '2025-10-09' and scope = 'all' "
                       "and metric = 'reply' and clock = 'wall'")
    assert (row["previous_count"], row["previous_mean_seconds"], row["mean_delta_pct"]) == (0, None, None)


def test_agents_and_departments_have_their_names_and_the_rest_their_keys(world: Changed) -> None:
    rows = world.ask("select distinct scope, scope_id, scope_name from marts.response_times_monthly order by 1, 2")
    assert [tuple(row.values()) for row in rows] == [
        ("agent", "ana", "Ana Uno"), ("agent", "bea", "Bea Dos"), ("all", "all", "all"),
        ("channel", "livechat", "livechat"),
        ("department", "Cartera", "Cartera"), ("department", "none", "none"), ("direction", "incoming", "incoming"),
        ("source", "b2chat", "b2chat"),
    ]


def test_a_second_build_writes_no_row_and_an_incremental_one_equals_a_full_one(world: Changed) -> None:
    incremental, writes = world.stored(), _writes(world)
    world.run(*ROLLUPS)
    assert _writes(world) == writes
    world.run(*ROLLUPS, full_refresh=True)
    assert world.stored() == incremental
    assert len(incremental["int_response_times"]) > 100


def _writes(world: World) -> list[dict[str, Any]]:
    with psycopg.connect(world.url, autocommit=True) as conn:
        conn.execute("select pg_stat_force_next_flush()")
    return world.ask(WRITES)
