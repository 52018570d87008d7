"""What the audit keeps: findings with their times, one snapshot a day, statements without values; all of it or none."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import psycopg
import pytest

from dagster_project.database_audit import audit, checks, schemas, snapshots
from dagster_project.database_audit.audit import Audit
from dagster_project.database_audit.backups import backup_faults
from dagster_project.database_audit.findings import Finding, excepted
from dagster_project.database_audit.kept import kept_days
from dagster_project.database_audit.schemas import House, NoSuchSchema
from dagster_project.orchestration.assets.database_audit import database_audit
from dagster_project.orchestration.resources import Warehouse
from dagster_project.settings import Settings
from dagster_project.warehouse import connection

ZONE = ZoneInfo("America/Bogota")
NOON = datetime(2026, 11, 10, 17, tzinfo=UTC)
DAY = timedelta(days=1)
KEPT = "select severity, since, resolved_at from ops.database_findings where object = %s order by since"


@pytest.fixture
def conn(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection]:
    monkeypatch.setattr(schemas, "OURS", {"shop": House()})
    with closing(connection.connect(database_url, autocommit=True)) as conn:
        conn.execute("create schema shop")
        yield conn


def _audited(conn: psycopg.Connection, at: datetime = NOON, **given: Any) -> Audit:
    return audit.run(conn, ZONE, at=at, **{"known": {}, **given})


def test_a_finding_is_kept_from_the_first_audit_that_met_it_until_it_is_mended_and_anew_when_it_is_back(
    conn: psycopg.Connection,
) -> None:
    conn.execute("create table shop.keyless (a int)")
    for days in (0, 1):
        [found] = _audited(conn, NOON + days * DAY).of("warning")
        assert (found.object, found.since) == ("shop.keyless", NOON)
    conn.execute("alter table shop.keyless add primary key (a)")
    assert _audited(conn, NOON + 2 * DAY).of("warning") == []
    conn.execute("alter table shop.keyless drop constraint keyless_pkey")
    _audited(conn, NOON + 3 * DAY)
    assert conn.execute(KEPT, ["shop.keyless"]).fetchall() == [
        ("warning", NOON, NOON + 2 * DAY),
        ("warning", NOON + 3 * DAY, None),
    ]


def test_an_audit_of_one_schema_leaves_the_others_findings_and_takes_no_snapshot(conn: psycopg.Connection) -> None:
    conn.execute("create table shop.keyless (a int); create schema other; create table other.keyless (a int)")
    _audited(conn)
    done = _audited(conn, NOON + DAY, schema="other")
    assert [finding.object for finding in done.of("warning")] == ["other.keyless"]
    assert conn.execute(KEPT, ["shop.keyless"]).fetchall() == [("warning", NOON, None)]
    assert conn.execute("select count(*) from ops.database_snapshots").fetchone() == (1,)
    with pytest.raises(NoSuchSchema):
        _audited(conn, schema="shops")


def test_what_is_put_up_with_is_shown_and_after_its_last_day_it_is_an_error() -> None:
    finding = Finding("D08", "no_primary_key", "shop", "shop.keyless", "warning", "no primary key")
    last = date(2026, 11, 10)
    known = {("D08", "shop.keyless"): ("a log", last)}
    assert excepted(finding, known, last) == replace(finding, exception=("a log", last))
    assert replace(finding, exception=("a log", last)).standing == "excepted until 2026-11-10 (a log)"
    late = excepted(finding, known, last + DAY)
    assert (late.severity, late.exception) == ("error", None)
    assert "2026-11-10: a log" in late.evidence


def test_a_check_that_may_not_look_says_so_and_resolves_nothing(
    conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn.execute("create table shop.keyless (a int)")
    _audited(conn)
    blind = checks.Need("false", "no rights")
    monkeypatch.setattr(
        audit, "CHECKS", [replace(check, needs=(blind,)) for check in checks.CHECKS if check.rule == "D08"]
    )
    done = _audited(conn, NOON + DAY)
    assert {(finding.object, finding.evidence) for finding in done.of("not_checked")} == {("*", "no rights")}
    assert conn.execute(KEPT, ["shop.keyless"]).fetchall() == [("warning", NOON, None)]


def test_a_warehouse_without_extensions_marts_or_history_says_what_was_not_checked(conn: psycopg.Connection) -> None:
    conn.execute("drop extension pg_stat_statements; drop extension pgstattuple")
    blind = {finding.rule for finding in _audited(conn).of("not_checked")}
    assert blind == {"D02", "D03", "D06", "D07", "D09", "D10", "D12", "D15"}


def test_backups_are_judged_where_they_are_known_and_else_said_not_to_be(
    conn: psycopg.Connection, tmp_path: Path
) -> None:
    def found(backups: Mapping[str, str] | None) -> set[tuple[str, str]]:
        every = _audited(conn, backups=backups).findings
        return {(finding.severity, finding.object) for finding in every if finding.check == "backup"}

    settings = Settings(data_dir=tmp_path)
    assert backup_faults(settings, conn) is None
    conn.execute(
        "insert into ops.data_source (source, kind, base_url, first_used_at) values "
        "('b2chat', 'b2chat', 'https://b2chat.example.com', now() - interval '37 hours')"
    )
    assert backup_faults(settings, conn) == {"backup": "No backup was ever made"}
    assert backup_faults(Settings(data_dir=tmp_path, backup_max_age_hours=0), conn) is None
    assert found(None) == {("not_checked", "backup")}
    assert found({}) == set()
    assert found({"backup": "it is late", "drill": "it failed"}) == {("error", "backup"), ("warning", "drill")}


def test_a_killed_audit_leaves_neither_half_a_snapshot_nor_half_its_findings(
    conn: psycopg.Connection, database_url: str
) -> None:
    conn.execute("create table shop.keyless (a int)")
    script = (
        "import sys; from zoneinfo import ZoneInfo; from dagster_project.database_audit import audit\n"
        "from dagster_project.warehouse import connection\n"
        "with connection.connect(sys.argv[1], autocommit=True) as conn: audit.run(conn, ZoneInfo('UTC'), known={})"
    )
    waiting = (
        "select count(*) from pg_locks where not granted and relation = 'ops.database_findings'::regclass "
        "and database = (select oid from pg_database where datname = current_database())"
    )
    with closing(connection.connect(database_url)) as holder:
        holder.execute("lock table ops.database_findings in access exclusive mode")  # written after the snapshot
        process = subprocess.Popen([sys.executable, "-c", script, database_url], env=dict(os.environ))
        while conn.execute(waiting).fetchone() == (0,):
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    for table in ("snapshots", "table_snapshots", "index_snapshots", "statement_snapshots", "findings"):
        assert conn.execute(f"select count(*) from ops.database_{table}").fetchone() == (0,), table
    assert _audited(conn).took_snapshot


def test_two_audits_of_a_day_keep_one_snapshot(conn: psycopg.Connection, database_url: str) -> None:
    taken = list[bool]()

    def run() -> None:
        with closing(connection.connect(database_url, autocommit=True)) as other:
            taken.append(_audited(other).took_snapshot)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False, True]
    assert not _audited(conn, NOON + timedelta(hours=11)).took_snapshot  # of the account's day, not of UTC's
    assert _audited(conn, NOON + timedelta(hours=13)).took_snapshot


def test_a_snapshot_says_how_long_a_tables_rows_stay(database_url: str) -> None:
    with closing(connection.connect(database_url, autocommit=True)) as conn:
        _audited(conn, kept=kept_days(Settings.load(retention_error_logs_days=40, archive_after_months=24)))
        kept = conn.execute(
            "select table_name, kept_days from ops.database_table_snapshots where kept_days is not null"
        )
        assert dict(kept.fetchall()) == {
            "b2chat_chats": 730,
            "b2chat_chat_versions": 730,
            "api_response_logs": 30,
            "sync_logs": 90,
            "sync_checkpoints": 90,
            "error_logs": 40,
            "audit_logs": 2555,
            "notifications": 30,
            "rooms_messages": 730,
            "rooms_messages_history": 730,
            "rooms_user_presence_changes": 730,
            "calls_call_logs": 730,
            "calls_call_offers": 730,
            "calls_widget_pageviews": 730,
            "calls_agent_sessions": 730,
            "calls_agent_status_changes": 730,
            "calls_funnel_events": 730,
        }


def test_statements_are_kept_without_values_comments_and_what_is_no_statement_of_rows(conn: psycopg.Connection) -> None:
    raw = [
        (1, "/* canary */ select 'canary' as a, 12345 from shop.t -- canary"),
        (2, "select * from shop.t where phone = E'it\\'s canary' and b in ($1, $2, $3)"),
        (3, "insert into shop.t values ($tag$canary$tag$, 'canary ''canary''')"),
        (4, "alter role somebody password 'canary'"),
        (5, "select 'canary"),
        (6, f"select {', '.join(f'column_{number}' for number in range(100))} from shop.t"),
        (7, "with a as (select 1) select * from a"),
    ]
    conn.execute(
        "create temporary table pg_stat_statements (userid oid, dbid oid, toplevel boolean, queryid bigint, "
        "query text, calls bigint, rows bigint, total_exec_time double precision)"
    )
    for number, query in raw:
        conn.execute(
            "insert into pg_stat_statements select current_user::regrole, oid, true, %s, %s, 1, 1, 1000 "
            "from pg_database where datname = current_database()",
            [number, query],
        )
    _audited(conn)
    kept = dict(conn.execute("select query_id, statement from ops.database_statement_snapshots").fetchall())
    assert kept == {
        0: None,
        1: "select ? as a, ? from shop.t",
        2: "select * from shop.t where phone = ? and b in (?)",
        3: "insert into shop.t values (?, ?)",
        5: None,
        6: kept[6],
        7: "with a as (select ?) select * from a",
    }
    assert kept[6] is not None and len(kept[6]) == 500


def test_a_query_for_each_row_of_a_list_is_seen_while_the_audit_watches(
    conn: psycopg.Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn.execute("create table shop.things (id int primary key)")
    conn.execute("insert into shop.things select generate_series(1, 210)")

    def work(_: float) -> None:
        with closing(connection.connect(database_url, autocommit=True)) as other:
            for (number,) in other.execute("select id from shop.things order by id limit 200").fetchall():
                other.execute("select id as one_by_one from shop.things where id = %s", [number])
            # As often, but without a list of as many rows; and a list asked for in pieces.
            for number in range(150):
                other.execute("select id + 1 as of_no_list from shop.things where id = %s", [number])
            for number in range(0, 200, 10):
                ids = list(range(number, number + 10))
                other.execute("select id as in_pieces from shop.things where id = any(%s)", [ids])

    monkeypatch.setattr(snapshots, "time", SimpleNamespace(monotonic=time.monotonic, sleep=work))
    done = _audited(conn, watch_seconds=60)
    [found] = [finding for finding in done.of("info") if finding.rule == "D10"]
    assert "one_by_one from shop.things where id = ?" in found.object
    assert "200 calls" in found.evidence and "as many as the 200 rows of select id from shop.things" in found.evidence
    assert [f.check for f in done.of("not_checked") if f.rule == "D10"] == ["n_plus_one_by_day"]


def test_tables_that_vanish_while_the_audit_looks_are_no_error(conn: psycopg.Connection, database_url: str) -> None:
    def swap() -> None:
        with closing(connection.connect(database_url, autocommit=True)) as other:
            while not enough.is_set():
                for number in range(5):
                    other.execute(f"create table shop.swap_{number} (a int); create index on shop.swap_{number} (a)")
                other.execute("drop table shop.swap_0, shop.swap_1, shop.swap_2, shop.swap_3, shop.swap_4")

    conn.execute("create table shop.keyless (a int)")
    enough = threading.Event()
    thread = threading.Thread(target=swap)
    thread.start()
    try:
        for number in range(15):
            done = _audited(conn, NOON + number * DAY)
            assert "shop.keyless" in [finding.object for finding in done.of("warning")]
            gone = {finding.object for finding in done.findings} & set(done.skipped)
            assert gone == set()
    finally:
        enough.set()
        thread.join()


def test_the_asset_has_a_check_for_each_schema_and_shows_what_it_found(database_url: str) -> None:
    done = dg.materialize([database_audit], resources={"warehouse": Warehouse(url=database_url)})
    assert done.success
    results = {result.check_name: result.passed for result in done.get_asset_check_evaluations()}
    assert set(results) == {
        f"no_findings_in_{schema}"
        for schema in (
            "raw",
            "ops",
            "analysis",
            "intermediate",
            "core",
            "marts",
            "marts_pii",
            "marts_admin",
            "rooms",
            "calls",
            "database",
        )
    }
    [event] = done.get_asset_materialization_events()
    assert {"errors", "warnings", "findings", "not_checked", "skipped"} <= set(event.materialization.metadata)
