"""A visitor and an agent of calls are forgotten wherever they are known, do not come back, and are still counted."""

import json
import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pyarrow.parquet
import pytest

from dagster_project.erasure import calls
from dagster_project.erasure.person import NoSuchPerson
from dagster_project.exports.stores.folder import Folder
from dagster_project.settings import Settings
from dagster_project.sources.calls import schema
from dagster_project.sources.calls.entities import CALLS, ENTITIES
from dagster_project.warehouse.archive import restore, steps
from dagster_project.warehouse.connection import connect
from tests.support.reading import read

WORD, TODAY = "zqkan", date(2026, 11, 26)
OLD = datetime(2024, 9, 7, 12, tzinfo=UTC)
VISITOR, USER, AGENT = (f"7c9e6679-7425-40de-944b-e07fc1f90ae{number}" for number in (1, 2, 3))
ADDRESS, PHONE = f"{WORD}@example.test", "+57 (300) 555-0199"
# Each field of each table that could say who somebody is says it, beside a visitor and an agent who stay.
ROWS = f"""
    insert into organizations (id, name) values (md5('o')::uuid, 'Ours');
    insert into users (id, organization_id, email, name) values
        ('{USER}', md5('o')::uuid, '{ADDRESS.title()}', 'Ana {WORD}'), (md5('u')::uuid, md5('o')::uuid, 'b@c.d', 'Ben');
    insert into agent_profiles (id, organization_id, user_id, display_name) values
        ('{AGENT}', md5('o')::uuid, '{USER}', '{WORD}'), (md5('a')::uuid, md5('o')::uuid, md5('u')::uuid, 'Ben');
    insert into agent_status_changes (agent_id, to_status, reason, changed_at) select agent, 'away', reason, at
    from unnest(array['{AGENT}', md5('a')]::uuid[], array['{WORD} is ill', 'lunch']) as r (agent, reason), moments;
    insert into agent_sessions (agent_id, organization_id, started_at)
    select '{AGENT}', md5('o')::uuid, at from moments;
    insert into invites (organization_id, email, token, expires_at)
    values (md5('o')::uuid, '{ADDRESS}', 't1', now()), (md5('o')::uuid, 'b@c.d', 't2', now());
    insert into widget_pageviews (organization_id, visitor_id, page_url, referrer_domain, created_at)
    select md5('o')::uuid, visitor, page, referrer, at from moments, unnest(
        array['{VISITOR}', '{VISITOR}', md5('v'), null]::uuid[],
        array['https://x.test/?mail=' || replace('{ADDRESS}', '@', '%40'), '/{WORD}', '/kept', '/call/{PHONE}'],
        array['{WORD}.test', '{WORD}.test', 'kept.test', '{WORD}.test']
    ) as row (visitor, page, referrer);
    insert into call_logs (organization_id, visitor_id, agent_id, page_url, reconnect_token, created_at)
    select md5('o')::uuid, visitor, '{AGENT}', page, token, at from moments, unnest(
        array['{VISITOR}', md5('v')]::uuid[], array['/{WORD}', '/kept'], array['{WORD}-token', 'kept']
    ) as row (visitor, page, token);
"""
PRODUCT = ("feedback_items", "funnel_events", "pmf_surveys", "mrr_snapshots", "mrr_changes")
MONTHLY = {"call_logs": "created_at", "agent_status_changes": "changed_at", "widget_pageviews": "created_at"}


def _fill(conn: psycopg.Connection) -> None:
    conn.execute("set search_path = calls")
    conn.execute("select keep_months('2024-09-01', '2024-09-30')")
    conn.execute("create temporary table moments (at timestamptz)")
    conn.execute("insert into moments values (%s), (%s)", [OLD, datetime.now(UTC) - timedelta(minutes=5)])
    for statement in ROWS.split(";\n"):
        conn.execute(statement)  # type: ignore[call-overload]
    said = ({"visitor_id": VISITOR, "text": WORD}, {"text": f"{WORD}: write to {ADDRESS}"}, {"call": PHONE, "x": WORD})
    for table in PRODUCT:
        for payload in (*said, {"seats": 3}):
            conn.execute(
                f"insert into {table} (organization_id, value, payload) values (md5('o')::uuid, 5, %s)",
                [json.dumps(payload)],
            )
    conn.execute("set search_path = public")


def _sync(url: str) -> None:
    read(url, url, CALLS, TODAY)


def _known(url: str, *texts: str) -> set[str]:
    """The tables in which one of the texts is."""
    with connect(url) as conn:
        tables = conn.execute(
            "select oid::regclass::text from pg_class where relkind = 'r' "
            "and relnamespace in ('calls'::regnamespace, 'raw'::regnamespace, 'archived'::regnamespace)"
        ).fetchall()
        query = "select exists (select from {} as t where lower(t::text) ~ %s)"
        return {
            table
            for (table,) in tables
            if conn.execute(query.format(table), ["|".join(texts).lower()]).fetchone() == (True,)  # type: ignore[arg-type]
        }


def _counts(url: str) -> dict[str, object]:
    """What is counted: rows, sums, agents' calls, and visitors with how much they saw."""
    with connect(url) as conn:
        counted = {
            entity.name: conn.execute(f"select count(*) from raw.{entity.table}").fetchone() for entity in ENTITIES
        }
        for table in ("widget_pageviews", "call_logs"):
            counted[f"{table} of visitors"] = conn.execute(
                f"select array_agg(seen order by seen) from (select count(*) as seen from raw.calls_{table} "
                "group by payload -> 'visitor_id') as by_visitor"
            ).fetchone()
        counted["agents"] = conn.execute(
            "select array_agg(distinct payload ->> 'agent_id') from raw.calls_call_logs"
        ).fetchone()
        return counted


@pytest.fixture(scope="module")
def filled(new_database: Callable[[], str]) -> str:
    url = new_database()
    schema.upgrade(url)
    with connect(url) as conn:
        _fill(conn)
    return url


def test_nothing_of_a_visitor_or_an_agent_is_left_and_all_that_is_counted_is(
    filled: str, tmp_path: Path, new_folder: Callable[[], str]
) -> None:
    url = filled
    os.environ["B2CHAT_DATA_DIR"] = new_folder()
    settings, store = Settings.load(), Folder(tmp_path / "exports")
    _sync(url)
    steps.run(url, store, None, TODAY)
    with connect(url) as conn:
        conn.execute(
            "insert into raw.quarantine (source, entity_type, record_key, rule, detail, payload_bytes, content_hash, "
            "load_id, page_offset, position, quarantined_at) values ('calls', 'call_logs', 'c', 'row_cannot_land', '', "
            "convert_to(%s, 'UTF8'), 'h', 1, 0, 0, now())",
            [json.dumps({"visitor_id": VISITOR, "page_url": WORD})],
        )
        told = calls.held(conn, calls.find(conn, ADDRESS))
    before = _counts(url)
    assert {table: len(rows) for table, rows in told["tables"].items() if rows} == {
        "raw.calls_users": 1,
        "raw.calls_agent_profiles": 1,
        "raw.calls_call_logs": 2,
        "raw.calls_widget_pageviews": 4,
        "raw.calls_agent_status_changes": 2,
        "raw.calls_invites": 1,
        **{f"raw.calls_{table}": 2 for table in PRODUCT},
        "raw.quarantine": 1,
    }

    counts = calls.erase(url, url, settings, store, ADDRESS, "admin")
    for who in (PHONE, AGENT):
        calls.erase(url, url, settings, store, who, "admin")

    assert (counts["raw.calls_widget_pageviews"], counts["calls.widget_pageviews"], counts["archived files"]) == (
        4,
        2,
        3,
    )
    digits = "300.{0,3}555.?0199"
    assert _known(url, WORD, VISITOR, digits) == set()
    for file in (tmp_path / "exports").rglob("*.parquet"):
        rows = str(pyarrow.parquet.read_table(file).to_pylist())
        assert WORD not in rows and VISITOR not in rows
    assert _counts(url) == before
    _sync(url)
    for table in MONTHLY:
        restore.restore(url, store, f"calls.{table}", date(2024, 9, 1))
    # They come back to the site, and what was read once is read again.
    with connect(url) as conn:
        conn.execute(
            "insert into calls.widget_pageviews (organization_id, visitor_id, page_url) "
            "values (md5('o')::uuid, %s, %s)",
            [VISITOR, f"/{WORD}"],
        )
        conn.execute("update calls.users set name = %s where id = %s", [WORD, USER])
    _sync(url)
    with connect(url) as conn:
        seen = conn.execute(
            "select count(*), count(distinct payload ->> 'visitor_id') from raw.calls_widget_pageviews "
            "where payload ->> 'page_url' in ('[erased]') and payload ->> 'visitor_id' is not null"
        ).fetchone()
        assert seen == (5, 1)
    assert not {one for one in _known(url, VISITOR, f"/{WORD}", digits) if one.startswith("raw.")}
    # A backup of then is restored: they are named again, here and at the source, and are erased again.
    with connect(url) as conn:
        conn.execute(
            "update calls.widget_pageviews set visitor_id = %s, page_url = %s where page_url = '[erased]'",
            [VISITOR, f"/{WORD}"],
        )
        conn.execute(
            "update raw.calls_agent_profiles set payload = payload || jsonb_build_object('display_name', %s::text) "
            "where payload ->> 'id' = %s",
            [WORD, AGENT],
        )
    assert calls.erase_again(url, url, settings, store, "admin") == 1
    assert _known(url, WORD, VISITOR, digits) == set()
    with pytest.raises(NoSuchPerson):
        calls.find(connect(url), "nobody@example.test")
