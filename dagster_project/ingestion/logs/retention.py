"""How long logs are kept: the dictionary's periods, enforced."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import sql

from dagster_project.ingestion.logs.response_log import drop_old_responses
from dagster_project.sources.contract import SourceSpec
from dagster_project.warehouse import partitions
from dagster_project.warehouse.access import audit_log


@dataclass(frozen=True, slots=True)
class Periods:
    """Days that each kind of log is kept; of the audit log years."""

    responses: int = 30
    sync_logs: int = 90
    error_logs: int = 90
    notifications: int = 30
    export_logs: int = 90
    audit_years: int = 7


def enforce(conn: psycopg.Connection, sources: Sequence[SourceSpec], periods: Periods) -> dict[str, int]:
    """Drop what is older than its period.

    Returns:
        rows deleted by table; for ops.api_response_logs and ops.audit_logs, partitions dropped.
    """
    dropped = {"ops.api_response_logs": len(drop_old_responses(conn, periods.responses))}
    with conn.transaction():
        for table, column, condition, days in _rules(sources, periods):
            dropped[f"ops.{table}"] = conn.execute(
                sql.SQL("delete from {} where {} < %s and {}").format(
                    sql.Identifier("ops", table), sql.Identifier(column), condition
                ),
                [datetime.now(UTC) - timedelta(days=days)],
            ).rowcount
    for table, days in (("ops.sync_logs", periods.sync_logs), ("ops.error_logs", periods.error_logs)):
        with conn.transaction():
            partitions.drop_empty_before(conn, table, datetime.now(UTC).date() - timedelta(days=days))
    dropped[partitions.AUDIT_LOGS] = _drop_old_audit(conn, periods.audit_years)
    return dropped


def _drop_old_audit(conn: psycopg.Connection, years: int) -> int:
    """Drop the months of the audit log that are over for so long: no row is deleted by itself. That is an event."""
    with conn.transaction():
        oldest = partitions.months_after(datetime.now(UTC).date(), -12 * years)
        dropped = partitions.drop_before(conn, partitions.AUDIT_LOGS, oldest)
        for name in dropped:
            audit_log.record(conn, "data.delete", resource="table", resource_id=name)
    return len(dropped)


def _rules(sources: Sequence[SourceSpec], periods: Periods) -> list[tuple[str, str, sql.Composable, int]]:
    """(table, its time, what else must hold, days)."""
    is_final = sql.SQL("status in ('failed', 'expired')")
    # What lasts stays; what is over has some days in which its message is tried again.
    is_told = sql.SQL("(kind is null or recovered_at < now() - interval '4 days')")
    return [
        ("sync_checkpoints", "updated_at", sql.SQL("status <> 'active'"), periods.sync_logs),
        ("sync_logs", "started_at", sql.SQL("status <> 'in_progress'"), periods.sync_logs),
        ("page_loads", "loaded_at", _brought_nothing(sources), periods.sync_logs),
        ("api_usage", "usage_day", sql.SQL("true"), periods.sync_logs),
        ("error_logs", "timestamp", sql.SQL("true"), periods.error_logs),
        ("notifications", "created_at", is_told, periods.notifications),
        ("export_logs", "created_at", is_final, periods.export_logs),
    ]


def _brought_nothing(sources: Sequence[SourceSpec]) -> sql.Composable:
    """A load that rows of raw name stays: it tells which days they came by."""
    unnamed = [
        sql.SQL("not exists (select from {} as landed where landed.load_id = page_loads.load_id)").format(
            sql.Identifier("raw", table)
        )
        for source in sources
        for table in source.tables
    ]
    return sql.SQL(" and ").join([sql.SQL("new_count + changed_count + quarantined_count = 0"), *unnamed])
