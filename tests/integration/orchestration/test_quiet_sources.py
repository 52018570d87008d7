"""A refresh to which a source brought nothing leaves out the models of that source alone, and holds up no other."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import psycopg
import pytest
import yaml

from dagster_project.orchestration.builds.last_build import LastBuild
from dagster_project.orchestration.builds.quiet_sources import leave_out, selector
from dagster_project.orchestration.dbt_project import DBT_DIR
from dagster_project.settings import DATABASES

NOW = datetime(2026, 3, 4, tzinfo=UTC)
LAST = LastBuild(NOW, NOW, is_current=False, is_of_this_hour=True)


def node(alias: str, *tags: str, kind: str = "incremental") -> dict[str, object]:
    return {"resource_type": "model", "alias": alias, "config": {"tags": list(tags), "materialized": kind}}


NODES = [node("chats"), node("room_messages", "rooms"), node("robots", "rooms"), node("r", "rooms", kind="view")]
SCENE = """
    insert into ops.build_watermarks select model, 5, 4, now()
    from unnest(array['chats', 'room_messages', 'robots']) as model;
    insert into ops.page_loads overriding system value
    select 9, 's', 'b2chat', 'chats', null, null, 0, 1, null, null, 1, 0, 0, 0, 1, 1, now();
"""
ROOM = """
    insert into raw.rooms_messages (row_key, row_month, payload, content_hash, load_id, first_load_id, loaded_at)
    values ('m', date_trunc('month', now()), '{}', 'h', %s, 1, now())
"""


@pytest.fixture(scope="module")
def url(new_database: Callable[[], str]) -> str:
    return new_database()


@pytest.fixture
def conn(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url) as conn:
        columns = "load_id, sync_id, source, entity_type, window_from, window_to, page_offset, record_count, exported, "
        columns += (
            "total, new_count, changed_count, unchanged_count, quarantined_count, response_bytes, request_ms, loaded_at"
        )
        conn.execute(SCENE.replace("ops.page_loads overriding", f"ops.page_loads ({columns}) overriding"))
        yield conn
        conn.rollback()


def watermarks(conn: psycopg.Connection) -> dict[str, tuple[int, int]]:
    rows = conn.execute("select model, after_load_id, load_id from ops.build_watermarks").fetchall()
    return {model: (after, load) for model, after, load in rows}


def test_models_of_a_quiet_source_are_left_out_and_hold_up_no_model_that_reads_them(conn: psycopg.Connection) -> None:
    conn.execute(ROOM, [5])  # has been built
    assert leave_out(conn, NODES, LAST) == ["rooms"]
    assert watermarks(conn) == {"chats": (4, 5), "room_messages": (5, 9), "robots": (5, 9)}


@pytest.mark.parametrize("reason", ["a row came", "a model was never built", "a full hour began"])
def test_models_of_a_source_are_built_when(conn: psycopg.Connection, reason: str) -> None:
    if reason == "a row came":
        conn.execute(ROOM, [7])
    if reason == "a model was never built":
        conn.execute("delete from ops.build_watermarks where model = 'robots'")
    before, is_of_this_hour = watermarks(conn), reason != "a full hour began"
    assert leave_out(conn, NODES, LastBuild(NOW, NOW, is_current=False, is_of_this_hour=is_of_this_hour)) == []
    assert watermarks(conn) == before


def test_dbt_has_a_selector_for_each_choice_that_leaves_out_those_tags_and_nothing_else() -> None:
    written = {
        one["name"]: one["definition"] for one in yaml.safe_load((DBT_DIR / "selectors.yml").read_text())["selectors"]
    }
    for left_out in ([DATABASES[0]], [DATABASES[1]], list(DATABASES)):
        refresh, excluded = written[selector(left_out)]["union"]
        assert refresh == {"method": "selector", "value": "refresh"}
        assert excluded["exclude"] == [{"method": "tag", "value": tag} for tag in left_out]
