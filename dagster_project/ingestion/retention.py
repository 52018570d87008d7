"""How long logs are kept: the dictionary's periods, enforced."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import sql

from dagster_project.ingestion.response_log import drop_old_responses

# A load that rows of raw name stays: it tells which days they came by.
_BROUGHT_NOTHING = """
    new_count + changed_count + quarantined_count = 0
    and not exists (select from raw.chats where chats.load_id = page_loads.load_id)
    and not exists (select from raw.contacts where contacts.load_id = page_loads.load_id)
"""


@dataclass(frozen=True, slots=True)
class Periods:
    """Days that each kind of log is kept."""

    responses: int = 30
    sync_logs: int = 90
    error_logs: int = 90
    notifications: int = 30
    export_logs: int = 90


def enforce(conn: psycopg.Connection, periods: Periods) -> dict[str, int]:
    """Drop what is older than its period.

    Returns:
        rows deleted by table; for ops.api_response_logs, partitions dropped.
    """
    dropped = {"ops.api_response_logs": len(drop_old_responses(conn, periods.responses))}
    with conn.transaction():
        for table, column, condition, days in _rules(periods):
            dropped[f"ops.{table}"] = conn.execute(
                sql.SQL("delete from {} where {} < %s and {}").format(
                    sql.Identifier("ops", table), sql.Identifier(column), sql.SQL(condition)
                ),
                [datetime.now(UTC) - timedelta(days=days)],
            ).rowcount
    return dropped


def _rules(periods: Periods) -> list[tuple[str, str, str, int]]:
    """(table, its time, what else must hold, days)."""
    return [
        ("sync_checkpoints", "updated_at", "status <> 'active'", periods.sync_logs),
        ("sync_logs", "started_at", "status <> 'in_progress'", periods.sync_logs),
        ("page_loads", "loaded_at", _BROUGHT_NOTHING, periods.sync_logs),
        ("api_usage", "usage_day", "true", periods.sync_logs),
        ("error_logs", "timestamp", "true", periods.error_logs),
        ("notifications", "created_at", "true", periods.notifications),
        ("export_logs", "created_at", "status in ('failed', 'expired')", periods.export_logs),
    ]
