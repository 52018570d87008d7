"""A report's numbers, read from the marts as they stand there; what a period leaves out is a row of zeros."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg

from dagster_project.exports.report.data.about import DIRECTIONS, Filter, Scope
from dagster_project.exports.report.data.report import ReportData
from dagster_project.exports.report.period import NoReport, Period
from dagster_project.exports.report.reading import breakdowns, kpis, times
from dagster_project.exports.report.reading import calls as website_calls
from dagster_project.exports.report.reading import rooms as chat_rooms
from dagster_project.exports.report.reading.account import coverage, freshness, growth, slot_min_chat_count
from dagster_project.exports.report.reading.selection import Selection
from dagster_project.warehouse import data_source, sla_targets
from dagster_project.warehouse.connection import has_relation
from dagster_project.warehouse.directory import NOTHING_YET

HISTORY = 13  # weeks or months of the long trend, the report's own among them


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
        scope: whose chats: all, or those of an agent, department, channel, source or direction.
        scope_id: key of the agent or department, the channel, the source, or one of `DIRECTIONS`.
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
        Filter(scope, scope_id, _name(connection, scope, scope_id), has_times=_has_times(connection, scope, scope_id)),
        known,
        known.data_through.astimezone(ZoneInfo(timezone)).date() if known.data_through else None,
    )
    backlog, sla = kpis.backlog(selection), times.sla(selection)
    numbers = kpis.of_metrics(selection, (*kpis.SUMMARY, *kpis.SERVICE), backlog)
    return ReportData(
        period=period,
        filter=selection.filter,
        timezone=timezone,
        freshness=known,
        is_complete=selection.is_complete,
        is_previous_complete=selection.is_previous_complete,
        summary=numbers[: len(kpis.SUMMARY)],
        heatmap=times.heatmap(selection),
        response_times=times.response_times(selection),
        days=times.trend(selection, "day", period.start),
        history=times.trend(selection, period.kind, history_start(period)),
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
        service=numbers[len(kpis.SUMMARY) :],
        intents=breakdowns.intents(selection),
        has_default_targets=sla_targets.are_defaults(connection),
        growth=growth(connection) if scope in ("all", "source") else (),
        rooms=chat_rooms.rooms(connection, period) if scope in ("all", "source") else None,
        calls=website_calls.calls(connection, period) if scope in ("all", "source") else None,
    )


def history_start(period: Period) -> date:
    """The first day of the long trend that ends with a week or month."""
    if period.kind == "week":
        return period.start - timedelta(weeks=HISTORY - 1)
    months = period.start.year * 12 + period.start.month - 1 - (HISTORY - 1)
    return date(months // 12, months % 12 + 1, 1)


def _has_times(connection: psycopg.Connection, scope: Scope, scope_id: str) -> bool:
    """Whether these conversations come from one source; those of a direction are told as all are."""
    member = ("all", "all") if scope == "direction" else (scope, scope_id)
    query = "select has_times from marts.scope_members where scope = %s and scope_id = %s"
    found = connection.execute(query, member).fetchone()
    return found is None or bool(found[0])


def _name(connection: psycopg.Connection, scope: Scope, scope_id: str) -> str:
    """What people call those whom the report is about."""
    if scope == "direction":
        found = (scope_id,) if scope_id in DIRECTIONS else None
    else:
        query = "select coalesce(scope_name, scope_id) from marts.scope_members where scope = %s and scope_id = %s"
        found = connection.execute(query, [scope, scope_id]).fetchone()
    if found is None:
        raise NoReport(f"no {scope} {scope_id!r}")
    return str(found[0])
