"""What can be ordered, in which formats, and how an order is filled: the way in for the command line and Dagster."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Literal

import psycopg

from dagster_project.exports import service
from dagster_project.exports.export_log import Format, Kind, Language, Request
from dagster_project.exports.formats import csv_file, parquet_file
from dagster_project.exports.i18n.wording import LANGUAGES, Wording
from dagster_project.exports.pictures import heatmap
from dagster_project.exports.report import read as gather
from dagster_project.exports.report import sections, workbook
from dagster_project.exports.report.data import SCOPES, Period, ReportData, Scope
from dagster_project.exports.report.pdf import first_page_png, render_pdf
from dagster_project.exports.report.read_analysis import gather_analysis
from dagster_project.exports.report.view_model import classified_by
from dagster_project.exports.service import Exported, ExportFailed, Writer, Written
from dagster_project.exports.stores.stores import OwnFile, StoreFailed, reason_of, store_of
from dagster_project.exports.tables import definitions
from dagster_project.exports.tables import workbook as table_workbook
from dagster_project.exports.tables.definitions import Filters, NothingToExport, Table
from dagster_project.settings import Settings
from dagster_project.warehouse import connection, data_source, directory

LAST = "last"  # in the place of a week or a month: the last full one
_TABLES: tuple[Format, ...] = ("csv", "csv-excel", "parquet", "xlsx")
FORMATS: dict[Kind, tuple[Format, ...]] = {
    "report": ("pdf", "xlsx", "csv", "csv-excel"),
    "chats": _TABLES,
    "agents": _TABLES,
    "kpis": _TABLES,
    "table": _TABLES,
    "analysis": (*_TABLES, "pdf"),
}


@dataclass(frozen=True)
class Order:
    """What is wanted.

    A report has a period (default: the last full week) and may be about one agent, department, channel or direction;
    an analysis has an id, a table the name of a mart; all else has filters. Agents, departments and channels are named
    by their id or by their name. `latest` is the last full week or month, instead of a period or of days.
    `sections` is the form `Section,Metric,Value,Unit` of an analysis as CSV, which a report as CSV always has.
    """

    kind: Kind
    format: Format
    language: Language = "es"
    filters: Filters = field(default_factory=Filters)
    period: Period | None = None
    latest: Literal["week", "month"] | None = None
    scope: Scope = "all"
    scope_id: str = "all"
    analysis_id: str | None = None
    mart: str | None = None
    sections: bool = False


def fill(
    url: str, settings: Settings, order: Order, *, user: str, run_id: str | None = None, own_file: Path | None = None
) -> Exported:
    """Make what is ordered and keep it.

    Args:
        url: the warehouse.
        settings: the store, the zone and how long to keep it.
        order: what is wanted.
        user: who wants it, for the books.
        run_id: of the run that makes it.
        own_file: a file, or a folder for it, instead of the store.

    Raises:
        ExportFailed: it cannot be made; one line.
    """
    _require_known(order)
    if order.sections and (order.kind != "analysis" or not order.format.startswith("csv")):
        raise ExportFailed("the form by sections is that of an analysis as csv or csv-excel")
    with connection.connect(url) as conn:
        order = _with_ids(conn, _with_period(conn, order))
        is_demo = data_source.is_demo(conn)
    request = Request(order.kind, order.format, user, order.language, _filters(order), order.analysis_id, run_id)
    named = f"demo-{label(order)}" if is_demo else label(order)
    try:
        store = _own(own_file, service.file_name(request, named), is_demo) if own_file else store_of(settings)
    except StoreFailed as error:
        raise ExportFailed(str(error)) from None
    return service.export(
        url,
        store,
        request,
        _writer(order, settings, _now()),
        label=named,
        zone=settings.timezone,
        keep=timedelta(days=settings.exports_keep_days),
    )


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
    days = _days_with_chats(conn)
    if days is None:
        raise ExportFailed(directory.NOTHING_YET)
    oldest, newest = days
    return Period.month(max(newest.replace(day=1) - timedelta(days=1), oldest))


def _days_with_chats(conn: psycopg.Connection) -> tuple[date, date] | None:
    """The first and the last local day that has chats; None where there are none."""
    if not connection.has_relation(conn, "marts.chat_response_times"):
        return None
    row = conn.execute(
        "select min(created_local_date), max(created_local_date) from marts.chat_response_times"
    ).fetchone()
    return (row[0], row[1]) if row and row[0] else None


def first_page(conn: psycopg.Connection, settings: Settings, order: Order) -> bytes:
    """The first page of a report, ordered with its period, as a small PNG."""
    return first_page_png(
        _gathered(conn, _with_ids(conn, order), settings.timezone),
        language=order.language,
        timestamp=_now(),
        company=settings.company,
    )


def _require_known(order: Order) -> None:
    """That formats, languages and scopes, which come from outside, are those that there are."""
    for name, value, known in (
        ("format", order.format, FORMATS[order.kind]),
        ("language", order.language, LANGUAGES),
        ("scope", order.scope, SCOPES),
    ):
        if value not in known:
            raise ExportFailed(f"the {name} of {order.kind} is one of {', '.join(known)}, not {value!r}")


def _own(path: Path, file_name: str, is_demo: bool) -> OwnFile:
    """The file that a user names, or one in the folder that it names. The name of made-up data always says "demo"."""
    try:
        path = path.resolve()
        path = path / file_name if path.is_dir() else path
        if is_demo and "demo" not in path.name.lower():
            path = path.with_stem(f"{path.stem}-demo")
        if not path.parent.is_dir():
            raise StoreFailed(f"there is no folder {path.parent}")
        store = OwnFile(path)
        store.require_free()
    except OSError as error:  # its name is too long, say
        raise StoreFailed(reason_of(error, Path(directory.shortened(path.name)))) from None
    return store


def _with_period(conn: psycopg.Connection, order: Order) -> Order:
    """The order, a report with its period, and the days of the last full week or month where those are wanted."""
    if order.period or not (order.latest or order.kind == "report"):
        return order
    period = last_month(conn) if order.latest == "month" else last_week(conn)
    if order.kind == "report":
        return replace(order, period=period)
    return replace(order, filters=replace(order.filters, first=period.start, last=period.end))


def _with_ids(conn: psycopg.Connection, order: Order) -> Order:
    """The order, with the ids of those whom it names.

    Raises:
        ExportFailed: nobody is called so, or several are.
    """
    kinds: dict[str, directory.Kind] = {"agent": "agent", "department": "department", "provider": "channel"}
    filters, scope_id = order.filters, order.scope_id
    try:
        if order.scope in kinds:
            scope_id = directory.find(conn, kinds[order.scope], scope_id)
        filters = replace(
            filters,
            agents=[directory.find(conn, "agent", name) for name in filters.agents],
            departments=[directory.find(conn, "department", name) for name in filters.departments],
            channels=[directory.find(conn, "channel", name) for name in filters.channels],
        )
    except directory.NoSuchMember as error:
        raise ExportFailed(str(error)) from None
    return replace(order, filters=filters, scope_id=scope_id)


def _writer(order: Order, settings: Settings, made_at: datetime) -> Writer:
    """What writes the file; a file of a period or of somebody that would hold nothing is not made."""
    write = _file_writer(order, settings, made_at)

    def write_something(conn: psycopg.Connection, out: BinaryIO) -> Written:
        written = write(conn, out)
        if not written.rows and (asked := _filters(order)) and order.kind not in ("analysis", "table"):
            days = _days_with_chats(conn)
            there_are = f"there are chats from {days[0]} to {days[1]}" if days else directory.NOTHING_YET
            raise NothingToExport(f"nothing to export of {_in_words(asked)}: {there_are}")
        return written

    return write_something


def _in_words(asked: Mapping[str, Any]) -> str:
    """Filters in one line: "from 2031-01-01, to 2031-01-31, agents ana"."""
    values = {name: ", ".join(value) if isinstance(value, list) else value for name, value in asked.items()}
    return ", ".join(f"{name} {directory.shortened(str(value))}" for name, value in values.items())


def _file_writer(order: Order, settings: Settings, made_at: datetime) -> Writer:
    zone = settings.timezone

    def write(conn: psycopg.Connection, out: BinaryIO) -> Written:
        if order.kind == "report" or (order.kind == "analysis" and order.format in ("pdf", "xlsx")):
            return _write_report(conn, out, order, settings, made_at)
        table = _table(conn, order)
        if order.sections and order.analysis_id:
            rows = sections.of_analysis(conn, order.analysis_id, order.language)
            return sections.write(out, rows, excel=_excel(order))
        if order.format == "parquet":
            return parquet_file.write(conn, out, table, zone=zone)
        if order.format == "xlsx":
            return table_workbook.write(
                conn, out, table, language=order.language, zone=zone, made_at=made_at, filters=_filters(order)
            )
        return csv_file.write(conn, out, table, excel=_excel(order), zone=zone)

    return write


def _excel(order: Order) -> Language | None:
    """The language of the reader of csv-excel; None for csv."""
    return order.language if order.format == "csv-excel" else None


def _write_report(
    conn: psycopg.Connection, out: BinaryIO, order: Order, settings: Settings, made_at: datetime
) -> Written:
    data = _gathered(conn, order, settings.timezone)
    if order.format == "xlsx":
        return workbook.write(out, data, order.language, made_at)
    if order.format != "pdf":
        rows = sections.of_report(data, order.language)
        return sections.write(out, rows, excel=_excel(order))
    out.write(render_pdf(data, language=order.language, timestamp=made_at, company=settings.company))
    notes = {"data_through": data.freshness.data_through, "classified_by": classified_by(data, Wording(order.language))}
    return Written(data.chat_count, notes=notes)


def _gathered(conn: psycopg.Connection, order: Order, zone: str) -> ReportData:
    if order.analysis_id:
        definitions.analysis_notes(conn, order.analysis_id)  # refuses one that failed after its chats were chosen
        return gather_analysis(conn, order.analysis_id, timezone=zone)
    assert order.period
    return gather.gather(conn, order.period, scope=order.scope, scope_id=order.scope_id, timezone=zone)


def _table(conn: psycopg.Connection, order: Order) -> Table:
    if order.kind == "chats":
        return definitions.chats(conn, order.filters, order.language)
    if order.kind == "agents":
        return definitions.agents(conn, order.filters)
    if order.kind == "kpis":
        return definitions.kpis(conn, order.filters)
    if order.kind == "analysis":
        return definitions.analysis_kpis(conn, order.analysis_id or "", order.language)
    return definitions.mart(conn, order.mart or "")


def _filters(order: Order) -> Mapping[str, Any]:
    """What was asked for, as plain values."""
    if order.kind == "report" and order.period:
        return {
            order.period.kind: order.period.start.isoformat(),
            **({order.scope: order.scope_id} if order.scope != "all" else {}),
        }
    named = {"analysis": order.analysis_id, "mart": order.mart, "form": "sections" if order.sections else None}
    return order.filters.as_values() | {name: value for name, value in named.items() if value}


def label(order: Order) -> str:
    """The order's part of the file's name: dates and whose chats, the name of a mart, the start of an analysis' id."""
    if order.kind == "report" and order.period:
        start = order.period.start
        period = f"week-{start}" if order.period.kind == "week" else f"month-{start:%Y-%m}"
        return period if order.scope == "all" else f"{period}-{_whose(order.scope, [order.scope_id])}"
    if order.kind == "table":
        if not re.fullmatch(r"[a-z0-9_]{1,63}", order.mart or ""):
            raise ExportFailed("there is no mart of that name")
        return str(order.mart)
    if order.kind == "analysis":
        return re.sub(r"[^a-z0-9]", "", (order.analysis_id or "").lower())[:8] or "analysis"
    filters = order.filters
    days = f"{filters.first or 'start'}_{filters.last or 'today'}" if filters.first or filters.last else "all"
    asked = (("agent", filters.agents), ("department", filters.departments), ("provider", filters.channels))
    return "-".join([days, *(_whose(scope, ids) for scope, ids in asked if ids)])


def _whose(scope: str, ids: Sequence[str]) -> str:
    """Part of a file's name: the id of an agent, a department, a channel or a direction.

    Where it is not a short word, or there are several, 8 characters of a hash: no e-mail and no full name that serves
    as an id is in a file's name.
    """
    word = {"provider": "channel"}.get(scope, scope)
    if len(ids) == 1 and re.fullmatch(r"[A-Za-z0-9_]{1,24}", ids[0]):
        return f"{word}-{ids[0].lower()}"
    digest = hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()[:8]
    return f"{word}{'s' if len(ids) > 1 else ''}-{digest}"


def _now() -> datetime:
    """The time in whole seconds: PDF knows no others."""
    return datetime.now(UTC).replace(microsecond=0)
