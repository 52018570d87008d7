"""Months of calls leave for files when their time is over, offers before the calls that they are of, and come back."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from dagster_project.exports.stores.folder import Folder
from dagster_project.sources.calls import schema
from dagster_project.warehouse.archive import restore, states, steps
from dagster_project.warehouse.connection import connect
from tests.support.calls import fill

TODAY = date(2026, 11, 26)
TABLES = ("call_offers", "call_logs", "agent_sessions", "agent_status_changes", "widget_pageviews")
# Each table has a row on the last day of a month that is due, and on the first one of a month that is not.
ROWS = """
    select calls.keep_month(('calls.' || one)::regclass, month::date)
    from unnest(array['call_logs', 'call_offers', 'agent_sessions']) as one,
        unnest(array['2024-09-01', '2024-11-01']) as month;
    select calls.keep_month(('calls.' || one)::regclass, month::date)
    from unnest(array['agent_status_changes', 'widget_pageviews']) as one,
        unnest(array['2025-09-01', '2025-11-01']) as month;
    insert into calls.call_logs (id, organization_id, created_at)
    select md5('old' || at)::uuid, md5('organization')::uuid, at::timestamptz
    from unnest(array['2024-09-30 23:59Z', '2024-11-01 00:00Z']) as at;
    insert into calls.call_offers (call_id, call_created_at, agent_id, offered_at)
    select id, created_at, md5('agent')::uuid, created_at from calls.call_logs where created_at < '2025-01-01';
    insert into calls.agent_sessions (agent_id, organization_id, started_at)
    select md5('agent')::uuid, organization_id, created_at from calls.call_logs where created_at < '2025-01-01';
    insert into calls.agent_status_changes (agent_id, to_status, changed_at)
    select md5('agent')::uuid, 'away', at::timestamptz
    from unnest(array['2025-09-30 23:59Z', '2025-11-01 00:00Z']) as at;
    insert into calls.widget_pageviews (organization_id, created_at)
    select md5('organization')::uuid, changed_at from calls.agent_status_changes;
"""


def held(conn: psycopg.Connection) -> dict[str, Any]:
    rows = "select count(*), sum(hashtextextended((to_jsonb(t) - 'row_xid')::text, 0)::numeric) from calls.{} as t"
    return {table: conn.execute(rows.format(table)).fetchone() for table in TABLES}  # type: ignore[arg-type]


def test_each_month_goes_after_its_time_and_comes_back_as_it_was(
    new_database: Callable[[], str], tmp_path: Path
) -> None:
    url, store = new_database(), Folder(tmp_path / "exports")
    schema.upgrade(url)
    with connect(url) as conn:
        fill(conn, 10, 10, months=1)
        conn.execute(ROWS)
        conn.commit()
        before = held(conn)
    moved = [one.label for one in steps.run(url, store, None, TODAY) if one.row_count]
    assert moved == [
        "calls.call_offers 2024-09",
        "calls.call_logs 2024-09",
        "calls.agent_sessions 2024-09",
        "calls.agent_status_changes 2025-09",
        "calls.widget_pageviews 2025-09",
    ]
    with connect(url) as conn:
        assert {one.state for one in states.archives(conn, states.UNDER_WAY)} == {"detached"}
        assert [count for count, _ in held(conn).values()] == [1, 11, 1, 1, 1]
    assert restore.restore_all(url, store, for_dbt=True) == [], "no build needs them: what was read stays in raw"
    for table, month in (("call_logs", 2024), ("call_offers", 2024), ("agent_sessions", 2024)):
        restore.restore(url, store, f"calls.{table}", date(month, 9, 1))
    for table in TABLES[3:]:
        restore.restore(url, store, f"calls.{table}", date(2025, 9, 1))
    with connect(url) as conn:
        assert held(conn) == before


def test_months_leave_early_where_fifty_million_rows_are_two_months_away_and_never_under_three(
    new_database: Callable[[], str],
) -> None:
    url, today = new_database(), date(2026, 11, 26)
    schema.upgrade(url)
    projected = """
        create schema if not exists marts;
        create table marts.database_projection as
        select 'calls' as schema_name, t as table_name, 50000000::bigint as threshold_row_count,
            date '2026-11-26' as as_of_date, rows::bigint as row_count, growth::float8 as daily_row_growth, state,
            ((50000000 - rows) / growth)::integer as days_left
        from (values
            -- Thirty million a month: of 45 in all, in 60 days 105, so that 55 are too many.
            ('call_logs', 45000000, 1000000, 'projected'), ('widget_pageviews', 49000000, 10000, 'projected'),
            ('agent_sessions', 80000000, 1, 'passed')
        ) as given (t, rows, growth, state);
    """
    with connect(url) as conn:
        conn.execute(projected)  # type: ignore[arg-type]
        for table, sizes in {
            "call_logs": {"2026-04": 20, "2026-05": 40, "2026-06": 30},
            "widget_pageviews": {"2026-05": 20},
            "agent_sessions": {"2026-06": 1, "2026-07": 1, "2026-08": 1},
        }.items():
            conn.execute("select calls.keep_months('2026-04-01', '2026-08-31')")
            for month, millions in sizes.items():
                conn.execute(
                    "update pg_class set reltuples = %s where oid = to_regclass(%s)",
                    [millions * 1e6, f"calls.{table}_{month.replace('-', '_')}"],
                )
        due = states.due(conn, None, today)
    early = {table: [f"{month:%m}" for name, month in due if name == f"calls.{table}"] for table in TABLES}
    assert early == {
        "call_offers": ["04", "05"],  # before the calls that they are of
        "call_logs": ["04", "05"],
        "agent_sessions": ["04", "05", "06", "07"],  # August ended less than three months ago
        "agent_status_changes": [],
        "widget_pageviews": [],  # 49.6 million in 60 days
    }
