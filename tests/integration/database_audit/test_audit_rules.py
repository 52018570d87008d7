"""The audit reports each planted fault and nothing that only looks like one."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from dagster_project.database_audit import audit, schemas
from dagster_project.database_audit.audit import Audit
from dagster_project.database_audit.findings import Exceptions
from dagster_project.warehouse import connection
from tests.support import forked_dbt, planted

ZONE = ZoneInfo("UTC")
MARTS = ("database_findings", "database_sizes_daily", "database_projection", "slow_statements_daily")
NOBODY: Exceptions = {}


@pytest.fixture(scope="module")
def url(new_database: Callable[[], str]) -> str:
    """A database with the faults, what looks like them, and the marts of the audit."""
    url = new_database()
    assert forked_dbt.run(url, "run", "--select", *MARTS, B2CHAT_TIMEZONE="America/Bogota").returncode == 0
    with connection.connect(url, autocommit=True) as conn:
        planted.plant(conn)
    return url


@pytest.fixture
def conn(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection]:
    monkeypatch.setattr(schemas, "OURS", planted.SCHEMAS)
    with closing(connection.connect(url, autocommit=True)) as conn:
        yield conn


@pytest.fixture
def sessions(url: str) -> Iterator[None]:
    """Sessions that wait, build and sleep."""

    def run(name: str, *statements: str) -> None:
        with ExitStack() as ends:
            session = ends.enter_context(closing(_as(url, name)))
            opened.append(session)
            with suppress(psycopg.OperationalError):
                for statement in statements:
                    session.execute(statement)  # type: ignore[arg-type]

    opened: list[psycopg.Connection] = []
    with closing(_as(url, "sleeper")) as sleeper, closing(_as(url, "idler")) as idler:
        idler.execute("select 1")
        sleeper.execute("begin")
        sleeper.execute("lock table shop.small in share row exclusive mode")
        sleeper.execute("lock table shop.growing in row exclusive mode")
        sleeper.execute("select pg_advisory_lock(1)")
        waiting = [
            threading.Thread(target=run, args=given)
            for given in (
                ("waiter", "begin", "lock table shop.small in share row exclusive mode"),
                ("builder", "create index concurrently being_built on shop.growing (a)"),
                ("patient", "select pg_advisory_lock(1)"),
            )
        ]
        for thread in waiting:
            thread.start()
        _until(lambda: _count(idler, "select count(*) from pg_locks where not granted") >= 3)
        yield
        for session in opened:
            session.cancel_safe()
        for thread in waiting:
            thread.join()


def test_each_planted_fault_is_reported_and_nothing_that_only_looks_like_one(
    conn: psycopg.Connection, sessions: None
) -> None:
    at = datetime.now(UTC) + timedelta(minutes=2)
    assert _audited(conn, at).took_snapshot
    planted.write_history(conn)
    conn.execute("create table shop.fresh (id int primary key) with (autovacuum_enabled = false)")
    conn.execute("insert into shop.fresh select generate_series(1, 10000)")
    found = _audited(conn, at, backups=planted.BACKUPS)
    assert not found.took_snapshot
    reported = {(each.rule, each.severity, each.object) for each in found.findings if each.severity != "not_checked"}
    assert reported == planted.faults()
    assert len(planted.faults()) >= 30 and len(planted.lookalikes()) >= 30
    assert found.skipped == ["shop.swapped__dbt_tmp"]
    assert [each.object for each in found.findings if each.fix is None and each.severity != "not_checked"] == []


def _audited(conn: psycopg.Connection, at: datetime | None = None, **given: Any) -> Audit:
    return audit.run(conn, ZONE, at=at, **{"known": NOBODY, **given})


def _as(url: str, name: str) -> psycopg.Connection:
    session = connection.connect(url, autocommit=True)
    session.execute(f"set application_name = '{name}'")  # type: ignore[arg-type]
    return session


def _count(conn: psycopg.Connection, query: str) -> int:
    row = conn.execute(query).fetchone()  # type: ignore[arg-type]
    assert row
    return int(row[0])


def _until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)
