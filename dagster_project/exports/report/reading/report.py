"""A report's numbers, read from the marts as they stand there; what a period leaves out is a row of zeros."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import psycopg
from psycopg.sql import SQL

from dagster_project.exports.queries import Between, select
from dagster_project.exports.report.data import DIRECTIONS, Backlog, Filter, Kpi, ReportData, Scope, Unit
from dagster_project.exports.report.period import NoReport, Period
from dagster_project.exports.report.reading import breakdowns, times
from dagster_project.exports.report.reading.account import coverage, freshness, growth, slot_min_chat_count
from dagster_project.exports.report.reading.selection import Selection
from dagster_project.warehouse import data_source, sla_targets
from dagster_project.warehouse.connection import has_relation
from dagster_project.warehouse.directory import NOTHING_YET

HISTORY = 13  # weeks or months of the long trend, the report's own among them
SUMMARY = (
    *("chats_created", "unanswered", "chats_closed", "messages_in", "messages_out", "pickup_p90"),
    *("first_response_p50", "first_response_p90", "reply_p50", "resolution_p50"),
    *("sla_overall_rate", "sla_first_response_rate", "sla_overall_business_rate", "backlog_open"),
)
SERVICE = (
    *("first_contact_resolution_rate", "chats_reopened", "agent_transfers", "department_transfers"),
    *("survey_response_rate", "bot_chats", "bot_containment_rate", "broadcasts_answered"),
)


def read_report(
    connection: psycopg.Connection,
    period: Period,
    *,
    scope: Scope = "all",
    scope_id: str = "all",
    timezone: str,
) -> ReportData:
    """Read a report from the marts. A period without chats is a report too, one of "no data".

    Args:
        period: `Period.week(monday)` or `Period.month(day)`.
        scope: whose chats: all, or those of an agent, department, channel or direction.
        scope_id: key of the agent or department, the channel, or one of `DIRECTIONS`.
        timezone: the account's zone, an IANA name.

    Raises:
        NoReport: the marts are not built, the period lies in the future, or nobody has that key.
    """
    if not has_relation(connection, "marts.kpis_by_direction"):
        raise NoReport(NOTHING_YET)
    if period.start > datetime.now(ZoneInfo(timezone)).date():
        raise NoReport(f"the {period.kind} of {period.start} has not begun yet")
    known = freshness(connection)
    selection = Selection(
        connection,
        period,
        Filter(scope, scope_id, _name(connection, scope, scope_id)),
        known,
        known.data_through.astimezone(ZoneInfo(timezone)).date() if known.data_through else None,
    )
    backlog, sla = _backlog(selection), times.sla(selection)
    kpis = _kpis(selection, backlog)
    return ReportData(
        period=period,
        filter=selection.filter,
        timezone=timezone,
        freshness=known,
        is_complete=selection.is_complete,
        is_previous_complete=selection.is_previous_complete,
        summary=tuple(kpis[metric] for metric in SUMMARY),
        heatmap=times.heatmap(selection),
        response_times=times.response_times(selection),
        days=times.trend(selection, "day", period.start),
        history=times.trend(selection, period.kind, _history_start(period)),
        sla=sla,
        agents=breakdowns.breakdown(selection, "agent"),
        departments=breakdowns.breakdown(selection, "department"),
        channels=breakdowns.breakdown(selection, "channel"),
        insights=breakdowns.insights(selection),
        traffic=times.traffic(selection),
        backlog=backlog,
        coverage=coverage(connection, period.kind, str(period.start)),
        is_demo=data_source.is_demo(connection),
        others=breakdowns.populations(selection),
        slots=times.slots(selection),
        slot_min_chat_count=slot_min_chat_count(connection),
        open_breaches=times.open_breaches(selection),
        open_breached_count=sla[0].open_breached_count,
        service=tuple(kpis[metric] for metric in SERVICE),
        intents=breakdowns.intents(selection),
        has_default_targets=sla_targets.are_defaults(connection),
        growth=growth(connection) if scope == "all" else (),
    )


def _history_start(period: Period) -> date:
    if period.kind == "week":
        return period.start - timedelta(weeks=HISTORY - 1)
    months = period.start.year * 12 + period.start.month - 1 - (HISTORY - 1)
    return date(months // 12, months % 12 + 1, 1)


def _name(connection: psycopg.Connection, scope: Scope, scope_id: str) -> str:
    """What people call the filter's agent or department."""
    found: tuple[Any, ...] | None = (scope_id,)
    if scope in ("agent", "department"):
        table = SQL("core.agents" if scope == "agent" else "core.departments")
        query = SQL("select coalesce(name, id) from {} where id = %s").format(table)
        found = connection.execute(query, [scope_id]).fetchone()
    elif scope == "channel":
        found = connection.execute(
            "select channel from marts.chat_response_times where channel = %s limit 1", [scope_id]
        ).fetchone()
    elif scope == "direction" and scope_id not in DIRECTIONS:
        found = None
    if found is None:
        raise NoReport(f"no {scope} {scope_id!r}")
    return str(found[0])


def _kpis(selection: Selection, backlog: tuple[Backlog, ...]) -> dict[str, Kpi]:
    """KPIs by metric, beside those of the period before."""
    known = select(selection.connection, _Metric, "intermediate.kpi_metrics", {"metric": [*SUMMARY, *SERVICE]})
    by_direction = select(
        selection.connection,
        _Number,
        "marts.kpis_by_direction",
        selection.both | {"metric": [metric.metric for metric in known]},
    )
    numbers = {
        (number.metric, number.period_start): number
        for number in (*by_direction, *_messages(selection), *_open_at_midnight(selection, backlog))
    }
    # Sums are not comparable where one of the periods is not whole.
    are_whole = selection.is_complete and selection.is_previous_complete

    def kpi(metric: _Metric) -> Kpi:
        now, before = (
            numbers.get((metric.metric, start), _Number(metric.metric, start, None, 0)) for start in selection.starts
        )
        is_comparable = are_whole or metric.unit in ("seconds", "share") or metric.metric == "backlog_open"
        return Kpi(metric.metric, metric.unit, metric.better, now.value, now.count, before.value, is_comparable)

    return {metric.metric: kpi(metric) for metric in known}


def _messages(selection: Selection) -> list["_Number"]:
    """Messages of all chats of the scope; no direction has any."""
    return select(
        selection.connection,
        _Number,
        f"marts.kpi_{selection.period.kind}ly",
        {
            "period_start": list(selection.starts),
            "scope": selection.filter.scope,
            "scope_id": selection.filter.scope_id,
            "metric": ["messages_in", "messages_out"],
        },
    )


def _open_at_midnight(selection: Selection, backlog: tuple[Backlog, ...]) -> list["_Number"]:
    """The backlog at the last midnight that is known, and as that of the period before the one that began this one."""
    counts = [backlog[0].open_count, *(one.open_count for one in backlog if one.open_count is not None)]
    return [
        _Number("backlog_open", start, count, count)
        for start, count in zip(selection.starts, (counts[-1], counts[0]), strict=True)
        if count is not None
    ]


def _backlog(selection: Selection) -> tuple[Backlog, ...]:
    """The midnights from the one that begins the period to the one that ends it; a direction has none."""
    days = [selection.period.start + timedelta(days=day) for day in range(selection.period.day_count + 1)]
    found = {
        midnight.day: midnight
        for midnight in select(
            selection.connection,
            Backlog,
            "marts.backlog_midnights",
            {
                "local_date": Between(days[0], days[-1]),
                "scope": selection.filter.scope,
                "scope_id": selection.filter.scope_id,
            },
            day="local_date",
        )
    }
    return tuple(found.get(day) or Backlog(day, None, None, None, None, None) for day in days)


@dataclass(frozen=True)
class _Metric:
    metric: str
    unit: Unit
    better: Literal["higher", "lower"] | None


@dataclass(frozen=True)
class _Number:
    metric: str
    period_start: date
    value: float | None
    count: int
