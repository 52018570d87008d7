"""A refresh builds the tables and not the views, and asks tests together: nothing is left stale or untested by that. That
its tables are those of a build from nothing, tests/end_to_end/test_main_job.py shows."""

import contextlib
import logging
from collections.abc import Callable, Iterator

import psycopg
import pytest

from dagster_project.orchestration.builds.unchanged import broken_tests
from tests.support import forked_dbt
from tests.support.listed import AGENT, ListedSource, chat, message, serving
from tests.support.world import World

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
        conn.execute(
            "update ops.page_loads set loaded_at = %(clock)s::timestamptz, window_to = least(window_to, left(%(clock)s::text, 10)::date) "
            "where loaded_at > now() - interval '1 day'",
            {"clock": clock},
        )


def _refresh(world: World) -> str:
    done = world.refreshed()
    assert done.returncode == 0, done.stdout[-4000:]
    assert "view model" not in done.stdout and "seed file" not in done.stdout
    return done.stdout


def test_a_deadline_that_passes_while_nothing_comes_is_breached_at_the_next_refresh(world: World) -> None:
    assert world.ask(STATES)[-1] == {"chat_id": "waits", "wall_state": "pending"}
    world.sync()
    _land_at(world, "2025-10-07 09:03:00-05")
    _refresh(world)
    assert world.ask(STATES)[-1] == {"chat_id": "waits", "wall_state": "breached"}


@contextlib.contextmanager
def _shown_wrong(world: World, view: str, query: str) -> Iterator[None]:
    """Let a view that tables read show what a query makes of its true rows, `{rows}`, while a refresh runs."""
    with psycopg.connect(world.url, autocommit=True) as conn:
        conn.execute(f"alter view {view} rename to as_it_was")  # type: ignore[arg-type]
        as_it_was = f"{view.split('.')[0]}.as_it_was"
        conn.execute(f"create view {view} as {query.format(rows=as_it_was)}")  # type: ignore[arg-type]
        yield
        conn.execute(f"drop view {view}")  # type: ignore[arg-type]
        conn.execute(f"alter view {as_it_was} rename to {view.split('.')[1]}")  # type: ignore[arg-type]


def _bring(world: World, key: str, day: str) -> str:
    """What dbt says of a refresh that brings a chat."""
    world.source.records["chats"].append(chat(key, day, opened_at=f"{day} 09:00:00", agent=AGENT))
    world.sync()
    return world.refreshed().stdout


def _chats_of(world: World, table: str, key: str) -> list[str]:
    return [row[key] for row in world.ask(f"select {key} from {table} order by 1")]


def _with(world: World, view: str, **columns: str) -> str:
    """A query of a view's rows, with other expressions for some of its columns."""
    schema, name = view.split(".")
    named = world.ask(
        "select column_name from information_schema.columns where table_schema = %s and table_name = %s "
        "order by ordinal_position", schema, name,
    )
    shown = (f"{columns.get(row['column_name'], row['column_name'])} as {row['column_name']}" for row in named)
    return f"select {', '.join(shown)} from {{rows}}"


def test_records_that_fail_a_test_are_refused_before_anything_is_built(world: World) -> None:
    view = "staging.stg_b2chat__chats"
    with _shown_wrong(world, view, "select * from {rows} union all select * from {rows}"):
        said = _bring(world, "twice", "2025-10-02")
    assert "refused, because tests fail: primary_key_stg_b2chat__chats_chat_id, 1 rows" in said
    assert "OK created" not in said and "twice" not in _chats_of(world, "core.chats", "id")
    _refresh(world)
    assert "twice" in _chats_of(world, "core.chats", "id")


def test_rows_of_a_table_that_fail_a_test_are_never_seen_and_nothing_is_built_on_them(world: World) -> None:
    view = "intermediate.int_conversations"
    with _shown_wrong(world, view, _with(world, view, direction="'sideways'::text")):
        said = _bring(world, "sideways", "2025-10-03")
    assert "refused, because tests fail: accepted_values_chat_response_times_direction__" in said
    assert "sideways" in _chats_of(world, "core.chats", "id")
    assert "sideways" not in _chats_of(world, "marts.chat_response_times", "chat_id")
    assert "SKIP relation marts.sla_chats" in said
    _refresh(world)
    assert "sideways" in _chats_of(world, "marts.chat_response_times", "chat_id")


def test_a_view_that_is_wrong_for_what_a_refresh_brought_fails_it_and_is_named(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    view = "marts.channel_daily"
    twice = "select * from {rows} union all select * from {rows} where local_date = '2025-10-07'"
    with _shown_wrong(world, view, twice), psycopg.connect(world.url, autocommit=True) as conn:
        assert "Completed successfully" in _bring(world, "on another day", "2025-10-08"), "an older day waits for the night"
        assert "FAIL 1 assert_the_rest_holds" in _bring(world, "on that day", "2025-10-07")
        with caplog.at_level(logging.ERROR):
            broken_tests(conn, forked_dbt.target_of(world.url) / "run_results.json")
    errors = [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR]
    assert errors == ["dbt: fail: primary_key_channel_daily_local_date__channel, 1 rows"]


def test_facts_are_not_built_where_core_refers_to_what_is_not_there(world: World) -> None:
    # Last of all: the chat in core is wrong from here on.
    view = "intermediate.int_b2chat__audited_chats"
    with _shown_wrong(world, view, _with(world, view, agent_id="'nobody'::text")):
        said = _bring(world, "of nobody", "2025-10-06")
    assert "FAIL 1 assert_core_refers_to_what_is_there" in said
    assert "SKIP relation marts.chat_response_times" in said
