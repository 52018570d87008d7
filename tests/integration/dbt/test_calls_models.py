"""Marts of calls: coverage against a count of every second, and tables built step by step against those built at once."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from dagster_project.sources.calls.entities import ENTITIES
from dagster_project.sources.calls.sandbox.fill import rows
from dagster_project.sources.calls.sandbox.firm import Firm
from tests.support import forked_dbt
from tests.support.coverage_weeks import Week, land

WEEKS = 12  # each costs Python most of a second; benchmarks/coverage.py counts 200
FIRM = Firm(first_day=date(2026, 3, 2), days=20, visits_per_day=40)
THEN, LATER = FIRM.local(12, 15.5), FIRM.local(13, 11)
TABLES = ("int_coverage_hours", "int_call_times", "int_call_days", "int_call_agent_days", "int_funnel_days", "int_call_quality")
LAST = ("+int_coverage_hours", "+int_call_days", "+int_call_agent_days", "+int_funnel_days", "+int_call_quality")

Row = dict[str, Any]


@pytest.fixture(scope="module")
def weeks() -> list[Week]:
    return [Week(number) for number in range(WEEKS)]


@pytest.fixture(scope="module")
def built(new_database: Callable[[], str], weeks: list[Week]) -> Iterator[str]:
    url = new_database()
    with psycopg.connect(url) as conn:
        land(conn, rows(FIRM, THEN), THEN)
        for week in weeks:
            land(conn, week.rows(), THEN)
    _dbt(url, "run", "--select", *LAST)
    yield url


def test_coverage_agrees_with_a_count_of_every_second(built: str, weeks: list[Week]) -> None:
    with psycopg.connect(built) as conn:
        for week in weeks:
            week.check(conn)


def test_tables_built_step_by_step_equal_those_built_at_once_for_calls(built: str) -> None:
    """A day's news: late pageviews, calls that ended, orphans, sessions that ended, one that moved, and one who left a pool."""
    with psycopg.connect(built) as conn:
        before = _of_sandbox(rows(FIRM, THEN))
        news = {
            table: [row for row in found if before.get((table, row["id"])) != row]
            for table, found in rows(FIRM, LATER).items()
        }
        land(conn, news, LATER)
        moved, gone = _kept(conn, "agent_sessions"), _kept(conn, "agent_pool_members")
        moved["started_at"] = (datetime.fromisoformat(moved["started_at"]) - timedelta(days=3)).isoformat()
        gone["removed_at"] = THEN.isoformat()
        land(conn, {"agent_sessions": [moved], "agent_pool_members": [gone]}, LATER + timedelta(minutes=5))
    refreshed = ("--select", "tag:calls,config.materialized:incremental", "--exclude", "call_business_records")
    _dbt(built, "run", *refreshed)
    step_by_step = _tables(built)
    _dbt(built, "run", *refreshed, "--full-refresh")
    at_once = _tables(built)
    for table, found in step_by_step.items():
        assert found - at_once[table] == set(), table
        assert at_once[table] - found == set(), table


def _of_sandbox(found: Mapping[str, list[Row]]) -> dict[tuple[str, str], Row]:
    return {(table, row["id"]): row for table, of_table in found.items() for row in of_table}


def _kept(conn: psycopg.Connection, table: str) -> Row:
    """A row of the sandbox's, as it landed."""
    query = f"select payload from raw.calls_{table} where load_id <= %s order by payload ->> 'created_at' desc, row_key limit 1"
    (payload,) = conn.execute(query, [len(ENTITIES)]).fetchone() or ({},)  # type: ignore[arg-type]
    return dict(payload)


def _tables(url: str) -> dict[str, set[str]]:
    with psycopg.connect(url) as conn:
        tables = [f"intermediate.{table}" for table in TABLES] + ["marts.visits"]
        return {
            table: {row for (row,) in conn.execute(f"select (to_jsonb(rows) - 'load_id')::text from {table} as rows")}
            for table in tables
        }


def _dbt(url: str, *arguments: str) -> None:
    done = forked_dbt.run(url, *arguments, B2CHAT_TIMEZONE="America/Bogota")
    assert done.returncode == 0, done.stdout[-3000:]
