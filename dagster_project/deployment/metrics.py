"""How the pipeline is, as Prometheus reads it: numbers of ops and marts in its text format, without names of people.

https://prometheus.io/docs/instrumenting/exposition_formats/ and /docs/practices/naming/. All are gauges: what is
counted is counted for a day or a month, and begins anew.
"""

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import LiteralString

import psycopg

from dagster_project.settings import Settings
from dagster_project.warehouse.connection import has_relation

_TIMEOUT = "10s"  # of one metric: Prometheus' file is written every minute


@dataclass(frozen=True)
class Metric:
    """One metric: its query returns a row a series, the labels' values and then the number; NULL is left out."""

    name: str
    help: str
    labels: tuple[str, ...]
    reads: str
    query: LiteralString


METRICS = [
    Metric(
        "last_successful_sync_timestamp_seconds",
        "When the last sync that succeeded began, as Unix time.",
        ("source", "entity"),
        "ops.sync_states",
        "select source, entity_type, extract(epoch from last_sync_timestamp) from ops.sync_states",
    ),
    Metric(
        "last_build_timestamp_seconds",
        "When the last good build of all models began, as Unix time.",
        (),
        "ops.last_build",
        "select extract(epoch from began_at) from ops.last_build",
    ),
    Metric(
        "data_through_timestamp_seconds",
        "How far the data of the mart goes that is the furthest behind, as Unix time.",
        (),
        "marts.data_freshness",
        "select extract(epoch from min(data_through)) from marts.data_freshness",
    ),
    Metric(
        "data_lag_seconds",
        "How old the data of the mart is that is the furthest behind, in seconds.",
        (),
        "marts.data_freshness",
        "select max(lag_seconds) from marts.data_freshness",
    ),
    Metric(
        "marts",
        "Marts by the freshness of their data.",
        ("freshness",),
        "marts.data_freshness",
        "select freshness, count(*) from marts.data_freshness group by 1",
    ),
    Metric(
        "records_landed_today",
        "Records that syncs of the current local day brought, by what became of them.",
        ("source", "entity", "outcome"),
        "marts.sync_health",
        "select source, entity_type, outcome, records from marts.sync_health "
        "cross join lateral (values ('new', records_new), ('changed', records_changed), "
        "('quarantined', records_quarantined), "
        "('unchanged', records_read - records_new - records_changed - records_quarantined)) as of (outcome, records) "
        "where local_date = (now() at time zone %(timezone)s)::date",
    ),
    Metric(
        "syncs_failed_today",
        "Syncs of the current local day that failed or were killed.",
        ("source", "entity"),
        "marts.sync_health",
        "select source, entity_type, failures from marts.sync_health "
        "where local_date = (now() at time zone %(timezone)s)::date",
    ),
    Metric(
        "quarantined_records",
        "Records that could not be read and were not resolved.",
        ("source", "entity"),
        "raw.quarantine",
        "with open as (select source, entity_type, count(*) as records from raw.quarantine "
        "where resolved_at is null group by 1, 2) "
        "select source, entity_type, coalesce(records, 0) "
        "from ops.sync_states full join open using (source, entity_type)",
    ),
    Metric(
        "api_requests_today",
        "Requests sent to a source on the current local day; its quota is counted in them.",
        ("source",),
        "ops.api_usage",
        "select source, sum(request_count) from ops.api_usage where usage_day = %(today)s group by 1",
    ),
    Metric(
        "runs_last_day",
        "Dagster's runs that ended in the last 24 hours, by how.",
        ("job", "status"),
        "dagster.runs",
        "select pipeline_name, lower(status), count(*) from dagster.runs "
        "where status in ('SUCCESS', 'FAILURE', 'CANCELED') and end_time > extract(epoch from now()) - 86400 "
        "group by 1, 2",
    ),
    Metric(
        "runs_in_progress",
        "Dagster's runs that have not ended, the queued ones among them.",
        (),
        "dagster.runs",
        "select count(*) from dagster.runs where status not in ('SUCCESS', 'FAILURE', 'CANCELED')",
    ),
    Metric(
        "daemon_last_heartbeat_timestamp_seconds",
        "When a part of Dagster's daemon last said that it lives, as Unix time.",
        ("part",),
        "dagster.daemon_heartbeats",
        "select lower(daemon_type), extract(epoch from max(timestamp) at time zone 'UTC') "
        "from dagster.daemon_heartbeats group by 1",
    ),
    Metric(
        "ai_spend_month_usd",
        "What Claude has cost in the current month (UTC), in USD, with what was perhaps charged.",
        (),
        "marts.ai_usage_daily",
        "select coalesce(sum(cost_usd + perhaps_charged_usd), 0) from marts.ai_usage_daily "
        "where utc_date >= date_trunc('month', now() at time zone 'UTC')",
    ),
    Metric(
        "ai_budget_month_usd",
        "What Claude may cost in a month (UTC), in USD.",
        (),
        "ops.ai_usage_ledger",
        "select %(ai_monthly_usd)s::float8",
    ),
    Metric(
        "notifications_open",
        "Notifications that stand, by how grave they are.",
        ("severity",),
        "ops.notifications",
        "with open as (select type, count(*) as number from ops.notifications where not is_read group by 1) "
        "select type, coalesce(number, 0) from (values ('error'), ('warning')) as usual (type) "
        "full join open using (type)",
    ),
    Metric(
        "database_size_bytes",
        "Size of the warehouse's database.",
        (),
        "ops.sync_states",
        "select pg_database_size(current_database())",
    ),
]


def read(conn: psycopg.Connection, settings: Settings, today: date) -> str:
    """All metrics as text. One whose table is not there yet, or that takes too long, is left out.

    Args:
        conn: in autocommit.
        today: the current day in the account's zone, by which requests are counted; the sandbox's, where that is read.
    """
    conn.execute("select set_config('statement_timeout', %s, false)", [_TIMEOUT])
    asked = {
        "today": today,
        "timezone": settings.timezone,
        "ai_monthly_usd": settings.ai_monthly_usd,
    }
    lines: list[str] = []
    for metric in METRICS:
        with contextlib.suppress(psycopg.errors.QueryCanceled):
            if has_relation(conn, metric.reads):
                rows = conn.execute(metric.query, asked).fetchall()
                lines += _lines(metric, rows)
    return "\n".join(lines) + "\n"


def _lines(metric: Metric, rows: Sequence[tuple[object, ...]]) -> Iterator[str]:
    name = f"b2chat_{metric.name}"
    series = sorted((row for row in rows if row[-1] is not None), key=str)
    if not series:
        return
    yield f"# HELP {name} {metric.help}"
    yield f"# TYPE {name} gauge"
    for *labels, value in series:
        told = ",".join(f'{label}="{_escaped(str(text))}"' for label, text in zip(metric.labels, labels, strict=True))
        yield f"{name}{{{told}}} {_number(value)}" if told else f"{name} {_number(value)}"


def _number(value: object) -> str:
    number = float(str(value))
    return str(int(number)) if math.isfinite(number) and number == int(number) else repr(number)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
