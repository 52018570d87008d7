"""The two questions that the seed has no index for: of any plan, none reads a table from end to end.

How long they take among two million calls: benchmarks/calls_lookups.py.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import psycopg
import pytest

from dagster_project.database_audit import audit
from dagster_project.database_audit.kept import kept_days
from dagster_project.orchestration.assets.maintenance import clean_up_invites_job, keep_partitions_job
from dagster_project.orchestration.resources import Warehouse
from dagster_project.settings import Settings
from dagster_project.sources.calls import invites, schema
from dagster_project.warehouse.connection import connect
from tests.support.calls import A_LIVE_CALL, ADVISED_INDEX, LIVE_CALL, fill, plan_of, read_whole

EXPIRED = {"at": datetime.now(UTC), "batch": invites.BATCH}
INVITES = 6_000  # 60 of them have expired and were not accepted


@pytest.fixture(scope="module")
def url(new_database: Callable[[], str]) -> str:
    url = new_database()
    schema.upgrade(url)
    with connect(url) as conn:
        fill(conn, 30_000, INVITES, months=5)
    return url


@pytest.fixture
def conn(url: str) -> Iterator[psycopg.Connection]:
    with connect(url) as conn:
        yield conn
        conn.rollback()


@pytest.mark.parametrize("is_generic", [False, True], ids=["literals", "generic plan"])
def test_a_call_that_was_cut_off_is_found_by_its_token_among_those_that_live(
    conn: psycopg.Connection, is_generic: bool
) -> None:
    plan = plan_of(conn, LIVE_CALL, A_LIVE_CALL, is_generic=is_generic)
    assert read_whole(conn, plan) == [] and plan.count("reconnect_token_idx") >= 5, plan
    found = conn.execute(LIVE_CALL, A_LIVE_CALL).fetchall()
    assert [row[1] for row in found] == ["accepted"]


@pytest.mark.parametrize("is_generic", [False, True], ids=["literals", "generic plan"])
def test_expired_invitations_are_found_oldest_first_and_deleted_by_their_keys(
    conn: psycopg.Connection, is_generic: bool
) -> None:
    plan = plan_of(conn, invites.CLEAN_UP, EXPIRED, is_generic=is_generic)
    assert read_whole(conn, plan) == [] and "idx_invites_expires_at" in plan and "pk_invites" in plan, plan


def test_with_the_index_that_the_seed_advises_a_generic_plan_reads_all_calls(conn: psycopg.Connection) -> None:
    """Why its predicate is another one here: what a query sends as parameters proves no predicate."""
    conn.execute("drop index calls.idx_call_logs_reconnect_token")
    conn.execute(ADVISED_INDEX)
    assert read_whole(conn, plan_of(conn, LIVE_CALL, A_LIVE_CALL, is_generic=False)) == []
    assert read_whole(conn, plan_of(conn, LIVE_CALL, A_LIVE_CALL, is_generic=True))


def test_the_clean_up_deletes_in_batches_what_expired_and_was_not_accepted(conn: psycopg.Connection) -> None:
    assert list(invites.clean_up(conn, batch=25)) == [25, 25, 10]
    left = conn.execute("select count(*), count(*) filter (where expires_at < now()) from calls.invites").fetchone()
    assert left == (INVITES - 60, 0)


def test_the_audit_of_the_database_finds_nothing_in_the_schema(url: str) -> None:
    with connect(url, autocommit=True) as conn:
        found = audit.run(conn, ZoneInfo("America/Bogota"), schema="calls", known={}, kept=kept_days(Settings()))
    assert found.of("error", "warning", "info") == []


def test_the_jobs_of_the_house_keep_the_schema_calls_too(
    url: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = {"warehouse": Warehouse(url=database_url)}
    assert clean_up_invites_job.execute_in_process(resources=warehouse).success  # there are no calls: nothing to do
    monkeypatch.setenv("CALLS_DATABASE_URL", url)
    with connect(url) as conn:
        (newest,) = (
            conn.execute(
                "select max(relname) from pg_class where relname like 'call_logs_2%' and relkind = 'r'"
            ).fetchone()
            or ()
        )
        conn.execute(f"drop table calls.{newest} cascade")
        conn.commit()
        assert clean_up_invites_job.execute_in_process(resources=warehouse).success
        assert keep_partitions_job.execute_in_process(resources=warehouse).success
        assert conn.execute("select count(*) from calls.invites where expires_at < now()").fetchone() == (0,)
        assert conn.execute("select to_regclass(%s) is not null", [f"calls.{newest}"]).fetchone() == (True,)
