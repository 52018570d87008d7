"""A refresh builds the tables and not the views, and asks the tests of views in one query: nothing is left stale or
untested by that. That its tables are those of a build from nothing, tests/end_to_end/test_main_job.py shows."""

import logging
from collections.abc import Callable, Iterator

import psycopg
import pytest

from dagster_project.orchestration.assets.unchanged import name_broken_tests
from tests.support import forked_dbt
from tests.support.listed import AGENT, ListedSource, chat, message, serving
from tests.support.world import World

REFRESH = ("build", "--selector", "refresh")
WAITING = {"status": "OPENED", "closed_at": None, "opened_at": "2025-10-07 09:00:00", "agent": AGENT}
STATES = "select chat_id, wall_state from marts.sla_chats where metric = 'pickup' order by 1"


@pytest.fixture(scope="module")
def world(new_database: Callable[[], str]) -> Iterator[World]:
    """A chat that has waited a minute for its pick-up, where the target is two; everything is built."""
    chats = [
        chat("old", opened_at="2025-10-01 09:00:00", picked_up_at="2025-10-01 09:01:00", agent=AGENT),
        chat("waits", "2025-10-07", messages=[message("2025-10-07 09:00:00")], **WAITING),
    ]
    with serving(ListedSource(chats)) as sandbox:
        world = World(new_database(), sandbox)
        world.sync()
        _land_at(world, "2025-10-07 09:01:00-05")
        world.build()
        yield world


def _land_at(world: World, clock: str) -> None:
    """Let all that is landed have come at an instant: what is open is evaluated as of the newest load."""
    with psycopg.connect(world.url) as conn:
        conn.execute("update ops.page_loads set loaded_at = %s where loaded_at > now() - interval '1 day'", [clock])


def _refresh(world: World) -> str:
    done = world.dbt(*REFRESH)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "view model" not in done.stdout and "seed file" not in done.stdout
    return done.stdout


def test_a_deadline_that_passes_while_nothing_comes_is_breached_at_the_next_refresh(world: World) -> None:
    assert world.ask(STATES)[-1] == {"chat_id": "waits", "wall_state": "pending"}
    world.sync()
    _land_at(world, "2025-10-07 09:03:00-05")
    _refresh(world)
    assert world.ask(STATES)[-1] == {"chat_id": "waits", "wall_state": "breached"}


def test_a_view_that_is_wrong_for_what_a_refresh_brought_fails_it_and_is_named(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    def bring(key: str, day: str) -> int:
        world.source.records["chats"].append(chat(key, day, opened_at=f"{day} 09:00:00"))
        world.sync()
        return world.dbt(*REFRESH).returncode

    with psycopg.connect(world.url, autocommit=True) as conn:
        conn.execute("alter view marts.channel_daily rename to channel_daily_once")
        conn.execute("create view marts.channel_daily as select * from marts.channel_daily_once "
                     "union all select * from marts.channel_daily_once where local_date = '2025-10-07'")
        assert bring("on another day", "2025-10-08") == 0, "an older day waits for the night"
        assert bring("on that day", "2025-10-07") == 1
        with caplog.at_level(logging.ERROR):
            name_broken_tests(conn, forked_dbt.target_of(world.url) / "run_results.json")
    assert caplog.messages == ["dbt: fail: primary_key_channel_daily_local_date__channel, 1 rows"]
