"""What can be asked for as an export, and what a request comes to: its period, the ids of whom it names, its label."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Literal, cast

import psycopg

from dagster_project.exports.errors import ExportFailed
from dagster_project.exports.export_log import Kind
from dagster_project.exports.formats.registry import FORMATS, formats_of
from dagster_project.exports.i18n.language import LANGUAGES, Language
from dagster_project.exports.pictures import heatmap
from dagster_project.exports.report.data.about import SCOPES, Scope
from dagster_project.exports.report.period import Period
from dagster_project.exports.tables import catalogue
from dagster_project.exports.tables.table import Filters
from dagster_project.warehouse import connection, directory

LAST = "last"  # in the place of a week or a month: the last full one


@dataclass(frozen=True)
class ExportRequest:
    """What is wanted.

    A report has a period (default: the last full week) and may be about one agent, department, channel, source or
    direction, or about all; `scope` None is what the warehouse shows by default. An analysis has an id, a table the
    name of a mart; all else has filters. Whoever is named is named by id or by name. `latest` is the last full week or
    month, instead of a period or of days.
    `sections` is the form `Section,Metric,Value,Unit` of an analysis as CSV, which a report as CSV always has.
    """

    kind: Kind
    format: str
    language: Language = "es"
    filters: Filters = field(default_factory=Filters)
    period: Period | None = None
    latest: Literal["week", "month"] | None = None
    scope: Scope | None = None
    scope_id: str = "all"
    analysis_id: str | None = None
    mart: str | None = None
    sections: bool = False


def require_known(request: ExportRequest) -> None:
    """That format, language, scope and filters, which come from outside, are those that there are.

    Raises:
        ExportFailed: one is not; the line names those that are.
    """
    for name, value, known in (
        ("format", request.format, [one.name for one in formats_of(request.kind)]),
        ("language", request.language, LANGUAGES),
        ("scope", request.scope, SCOPES),
    ):
        if value is not None and value not in known:
            raise ExportFailed(f"the {name} of {request.kind} is one of {', '.join(known)}, not {value!r}")
    if request.sections and (request.kind != "analysis" or not FORMATS[request.format].sections):
        able = " or ".join(one.name for one in formats_of("analysis") if one.sections)
        raise ExportFailed(f"the form by sections is that of an analysis as {able}")
    if unknown := catalogue.not_known(request.kind, request.filters):
        by = " and ".join(catalogue.TABLES[request.kind].by)
        raise ExportFailed(f"{request.kind} cannot be filtered by {' and '.join(unknown)}: filter by {by}")


def resolved(conn: psycopg.Connection, request: ExportRequest) -> ExportRequest:
    """The request with its period or days, and with the ids of those whom it names.

    Raises:
        ExportFailed: nobody is called so, several are, or there are no chats yet.
    """
    return with_ids(conn, _with_period(conn, request))


def last_week(conn: psycopg.Connection) -> Period:
    """The period of a report that names none: the last full week.

    Raises:
        ExportFailed: there are no chats yet.
    """
    monday = heatmap.last_full_week(conn)
    if monday is None:
        raise ExportFailed(directory.NOTHING_YET)
    return Period.week(monday)


def last_month(conn: psycopg.Connection) -> Period:
    """The month before the newest chat's; while there are chats of one month only, that one. Raises ExportFailed."""
    days = days_with_chats(conn)
    if days is None:
        raise ExportFailed(directory.NOTHING_YET)
    oldest, newest = days
    return Period.month(max(newest.replace(day=1) - timedelta(days=1), oldest))


def days_with_chats(conn: psycopg.Connection) -> tuple[date, date] | None:
    """The first and the last local day that has chats; None where there are none."""
    if not connection.has_relation(conn, "marts.chat_response_times"):
        return None
    row = conn.execute(
        "select min(created_local_date), max(created_local_date) from marts.chat_response_times"
    ).fetchone()
    return (row[0], row[1]) if row and row[0] else None


def _with_period(conn: psycopg.Connection, request: ExportRequest) -> ExportRequest:
    """The request, a report with its period, and the days of the last full week or month where those are wanted."""
    if request.period or not (request.latest or request.kind == "report"):
        return request
    period = last_month(conn) if request.latest == "month" else last_week(conn)
    if request.kind == "report":
        return replace(request, period=period)
    return replace(request, filters=replace(request.filters, first=period.start, last=period.end))


def with_ids(conn: psycopg.Connection, request: ExportRequest) -> ExportRequest:
    """The request, with the ids of those whom it names.

    Raises:
        ExportFailed: nobody is called so, or several are.
    """
    filters, scope, scope_id = request.filters, request.scope, request.scope_id
    try:
        if scope is None:
            found, scope_id = directory.shown_by_default(conn)
            scope = cast(Scope, found)
        elif scope != "all" and scope != "direction":
            scope_id = directory.find(conn, scope, scope_id)
        filters = replace(
            filters,
            agents=[directory.find(conn, "agent", name) for name in filters.agents],
            departments=[directory.find(conn, "department", name) for name in filters.departments],
            channels=[directory.find(conn, "channel", name) for name in filters.channels],
        )
    except directory.NoSuchMember as error:
        raise ExportFailed(str(error)) from None
    return replace(request, filters=filters, scope=scope, scope_id=scope_id)


def filters_of(request: ExportRequest) -> Mapping[str, Any]:
    """What was asked for, as plain values."""
    if request.kind == "report" and request.period:
        return {
            request.period.kind: request.period.start.isoformat(),
            **({request.scope: request.scope_id} if request.scope and request.scope != "all" else {}),
        }
    named = {"analysis": request.analysis_id, "mart": request.mart, "form": "sections" if request.sections else None}
    return request.filters.as_values() | {name: value for name, value in named.items() if value}


def label(request: ExportRequest) -> str:
    """Its part of the file's name: dates and whose chats, the name of a mart, the start of an analysis' id."""
    if request.kind == "report" and request.period:
        start = request.period.start
        period = f"week-{start}" if request.period.kind == "week" else f"month-{start:%Y-%m}"
        return (
            period if request.scope in (None, "all") else f"{period}-{_whose(str(request.scope), [request.scope_id])}"
        )
    if request.kind == "table":
        if not re.fullmatch(r"[a-z0-9_]{1,63}", request.mart or ""):
            raise ExportFailed("there is no mart of that name")
        return str(request.mart)
    if request.kind == "analysis":
        return re.sub(r"[^a-z0-9]", "", (request.analysis_id or "").lower())[:8] or "analysis"
    filters = request.filters
    days = f"{filters.first or 'start'}_{filters.last or 'today'}" if filters.first or filters.last else "all"
    asked = (("agent", filters.agents), ("department", filters.departments), ("channel", filters.channels))
    return "-".join([days, *(_whose(scope, ids) for scope, ids in asked if ids)])


def _whose(scope: str, ids: Sequence[str]) -> str:
    """Part of a file's name: the id of an agent, a department, a channel, a source or a direction.

    Where it is not a short word, or there are several, 8 characters of a hash: no e-mail and no full name that serves
    as an id is in a file's name.
    """
    if len(ids) == 1 and re.fullmatch(r"[A-Za-z0-9_]{1,24}", ids[0]):
        return f"{scope}-{ids[0].lower()}"
    digest = hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()[:8]
    return f"{scope}{'s' if len(ids) > 1 else ''}-{digest}"
