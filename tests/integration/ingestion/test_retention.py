"""Old logs go, what data still needs stays."""

from datetime import UTC, datetime, timedelta

import psycopg

from dagster_project.ingestion.logs.retention import Periods, enforce
from dagster_project.sources.catalog import SOURCES
from dagster_project.warehouse import partitions


def test_each_log_is_kept_for_its_period_and_what_was_dropped_is_counted(database_url: str) -> None:
    now = datetime.now(UTC)
    with psycopg.connect(database_url, autocommit=True) as conn:
        for days in (1, 40, 100):
            at = now - timedelta(days=days)
            for table in ("ops.sync_logs", "ops.error_logs"):
                partitions.keep(conn, table, [at.date()])
            conn.execute(
                "insert into ops.sync_logs (user_id, source, entity_type, operation, record_count, status, "
                "started_at) values ('test', 'b2chat', 'chats', 'full', 0, 'success', %s)",
                [at],
            )
            conn.execute(
                "insert into ops.error_logs (timestamp, level, message, source) values (%s, 'warn', '', 'x')", [at]
            )
            conn.execute(
                "insert into ops.notifications (user_id, title, message, type, created_at) "
                "values ('operators', '', '', 'info', %s)",
                [at],
            )
            for changed in (0, 1):
                conn.execute(
                    "insert into ops.page_loads (sync_id, source, entity_type, page_offset, record_count, new_count, "
                    "changed_count, unchanged_count, quarantined_count, response_bytes, request_ms, loaded_at) "
                    "values ('s', 'b2chat', 'chats', 0, 1, 0, %s, 0, 0, 0, 0, %s)",
                    [changed, at],
                )
        for years in (6, 7, 8):
            partitions.keep(conn, partitions.AUDIT_LOGS, [(now - timedelta(days=365 * years + 40)).date()])
        dropped = enforce(conn, SOURCES, Periods(sync_logs=90, error_logs=30, notifications=30))
        assert partitions.partitions_of(conn, "ops.error_logs")[0].month > (now - timedelta(days=61)).date()
        left = {
            table: conn.execute(f"select count(*) from ops.{table}").fetchone()  # type: ignore[arg-type]
            for table in ("sync_logs", "error_logs", "notifications", "page_loads")
        }
        gone = conn.execute(
            "select count(*) from ops.audit_logs where resource like 'table:ops.audit_logs_%'"
        ).fetchone()
        assert gone == (2,)
    assert (dropped["ops.sync_logs"], dropped["ops.error_logs"], dropped["ops.notifications"]) == (1, 2, 2)
    assert dropped["ops.page_loads"] == 1, "a load that brought something is named by rows in raw"
    assert dropped["ops.audit_logs"] == 2, "months that were over seven years ago"
    assert left == {"sync_logs": (2,), "error_logs": (1,), "notifications": (1,), "page_loads": (5,)}


def test_old_answers_go_by_dropping_their_partitions(database_url: str) -> None:
    today = datetime.now(UTC).date()
    with psycopg.connect(database_url, autocommit=True) as conn:
        for age in (0, 29, 31, 60):
            day = today - timedelta(days=age)
            conn.execute(
                f"create table ops.api_response_logs_{day:%Y%m%d} partition of ops.api_response_logs "  # type: ignore[arg-type]
                f"for values from ('{day}') to ('{day + timedelta(days=1)}')"
            )
        assert enforce(conn, SOURCES, Periods(responses=30))["ops.api_response_logs"] == 2
        names = conn.execute(
            "select relid::text from pg_partition_tree('ops.api_response_logs') where isleaf"
        ).fetchall()
    assert sorted(names) == sorted((f"ops.api_response_logs_{today - timedelta(days=age):%Y%m%d}",) for age in (0, 29))
