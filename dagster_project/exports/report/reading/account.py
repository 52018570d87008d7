"""Of a report: what is known of the whole account, whatever the filter."""

from dataclasses import dataclass
from datetime import date, datetime

import psycopg

from dagster_project.exports.queries import select
from dagster_project.exports.report.data.about import Freshness
from dagster_project.exports.report.data.account import Coverage, QualityRule, TableGrowth

GROWING = 8  # tables that are shown


def freshness(connection: psycopg.Connection) -> Freshness:
    """How far the marts go."""
    [span] = select(connection, _Span, "marts.data_span", {})
    known = select(connection, _Known, "marts.data_freshness", {"mart": "chat_response_times"})
    return Freshness(
        known[0].data_through if known else None,
        known[0].refreshed_at if known else None,
        span.first_date,
        span.last_date,
    )


def slot_min_chat_count(connection: psycopg.Connection) -> int | None:
    """How many chats a cell needs to be called the fastest or slowest slot; None where no chat was ever answered."""
    found = select(connection, _Floor, "marts.heatmap_weeks", {}, limit=1)
    return found[0].slot_min_chat_count if found else None


def coverage(connection: psycopg.Connection, period: str, period_id: str) -> Coverage:
    """How much was read of the days of a week, a month or an analysis."""
    where = {"period": period, "period_id": period_id}
    [covered] = select(connection, _Covered, "marts.report_coverage", where)
    rules = select(
        connection,
        QualityRule,
        "marts.report_quality",
        where,
        order_by="broken_count desc, rule",
        label_es="rule_label_es",
        label_en="rule_label_en",
    )
    return Coverage(
        covered.day_count,
        covered.fully_read_day_count,
        covered.failed_sync_count,
        covered.quarantined_count,
        tuple(rules),
    )


def growth(connection: psycopg.Connection) -> tuple[TableGrowth, ...]:
    """The tables that come to a threshold first, each with its next one; none before the audit has a week of days."""
    found = select(
        connection,
        TableGrowth,
        "marts.database_projection",
        {"state": "projected"},
        order_by="reached_date, schema_name, table_name, threshold_row_count",
    )
    of_table: dict[tuple[str, str], TableGrowth] = {}
    for one in found:
        of_table.setdefault((one.schema_name, one.table_name), one)
    return tuple(of_table.values())[:GROWING]


@dataclass(frozen=True)
class _Span:
    first_date: date | None
    last_date: date | None


@dataclass(frozen=True)
class _Known:
    data_through: datetime | None
    refreshed_at: datetime | None


@dataclass(frozen=True)
class _Floor:
    slot_min_chat_count: int


@dataclass(frozen=True)
class _Covered:
    day_count: int
    fully_read_day_count: int
    failed_sync_count: int
    quarantined_count: int
