"""Whether a build would change nothing: only after a good one of the same project, with nothing landed since, within
the hour and before the next deadline."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from dagster_project.orchestration.builds.last_build import LastBuild, last_good, note_good_build

NODES = [
    {"resource_type": "model", "schema": "marts", "alias": "promises", "config": {"meta": {"falls_due": "due_at"}}},
    {"resource_type": "seed", "schema": "marts", "alias": "names", "config": {"meta": {}}},
    {"resource_type": "test", "schema": "nowhere", "alias": "none", "config": {"meta": {}}},
]
# The middle of the present hour: a build then is no hour old, whenever the test runs.
SCENE = """
    create schema marts;
    create table marts.promises (due_at timestamptz);
    create table marts.names ();
    insert into marts.promises values (null), (now() + interval '1 day');
    insert into ops.page_loads (
        sync_id, source, entity_type, page_offset, record_count, new_count, changed_count, unchanged_count,
        quarantined_count, response_bytes, request_ms, loaded_at)
    select 's', 'b2chat', 'chats', 0, 1, 1, 0, 0, 0, 1, 1, date_trunc('hour', now()) + interval '30 minutes';
"""
BEGAN = """
    insert into ops.last_build (invocation_id, began_at, load_id, as_of, has_all_versions)
    select 'good', now(), load_id, loaded_at, true from ops.page_loads
"""
NEXT_LOAD = """
    insert into ops.page_loads (
        sync_id, source, entity_type, page_offset, record_count, new_count, changed_count, unchanged_count,
        quarantined_count, response_bytes, request_ms, loaded_at)
    select 's', 'b2chat', 'chats', 0, 1, 0, 0, 1, 0, 1, 1, {} from ops.page_loads
"""
NEWS = {
    "a chat landed": "insert into raw.b2chat_chats (chat_id, content_hash, payload, version, load_id, "
    "first_load_id, loaded_at, created_month) values ('c', 'h', '{}', 1, 99, 99, now(), now())",
    "a contact landed": "insert into raw.b2chat_contacts (contact_id, content_hash, payload, version, load_id, "
    "first_load_id, loaded_at) values ('c', 'h', '{}', 1, 99, 99, now())",
    "an audit export landed": "insert into raw.b2chat_audit_chats (chat_id, content_hash, payload, "
    "version, load_id, first_load_id, loaded_at) values ('c', 'h', '{}', 1, 99, 99, now())",
    "a full hour began": NEXT_LOAD.format("loaded_at + interval '31 minutes'"),
    "a deadline passed": "insert into marts.promises select loaded_at + interval '10 minutes' from ops.page_loads; "
    + NEXT_LOAD.format("loaded_at + interval '15 minutes'"),
    "an hour is over": "update ops.last_build set began_at = now() - interval '61 minutes'",
}
NOT_GOOD = {
    "a table is gone": "drop table marts.names",
    "another run of dbt began": "update ops.last_build set invocation_id = 'other', project = null",
    "no build is remembered": "truncate ops.last_build",
}


@pytest.fixture(scope="module")
def scene(new_database: Callable[[], str]) -> str:
    url = new_database()
    with psycopg.connect(url) as conn:
        conn.execute(SCENE)
        conn.execute(BEGAN)
    return url


@pytest.fixture
def conn(scene: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(scene) as conn:
        yield conn
        conn.rollback()


def look(conn: psycopg.Connection, project: str = "p") -> LastBuild | None:
    return last_good(conn, NODES, project=project, zone="America/Bogota")


def test_after_a_good_build_nothing_is_to_do_until_something_happens(conn: psycopg.Connection) -> None:
    assert look(conn) is None
    note_good_build(conn, "good", "p")
    last = look(conn)
    assert last and last.is_current and (last.as_of,) == conn.execute("select loaded_at from ops.page_loads").fetchone()
    # A deadline that had passed by then was counted; a sync that finds nothing new writes a load all the same.
    conn.execute("insert into marts.promises select loaded_at - interval '1 second' from ops.page_loads")
    conn.execute(NEXT_LOAD.format("loaded_at + interval '15 minutes'"))
    assert look(conn) == last
    assert look(conn, "another project") is None


@pytest.mark.parametrize("news", NEWS)
def test_the_tables_are_due_when(conn: psycopg.Connection, news: str) -> None:
    note_good_build(conn, "good", "p")
    conn.execute(NEWS[news])
    last = look(conn)
    assert last and not last.is_current


@pytest.mark.parametrize("reason", NOT_GOOD)
def test_views_and_seeds_are_due_too_when(conn: psycopg.Connection, reason: str) -> None:
    note_good_build(conn, "good", "p")
    conn.execute(NOT_GOOD[reason])
    assert look(conn) is None


def test_a_build_that_another_run_followed_or_that_missed_a_change_of_rules_is_not_noted(
    conn: psycopg.Connection,
) -> None:
    note_good_build(conn, "an earlier one", "p")
    assert look(conn) is None
    conn.execute("update ops.last_build set has_all_versions = false")
    note_good_build(conn, "good", "p")
    assert look(conn) is None
