"""What can be ordered, in which formats, and how an order is filled: the way in for the command line and Dagster."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import psycopg

from dagster_project.exports import (
    csv_file,
    gather,
    heatmap,
    making,
    parquet_file,
    report_workbook,
    sections,
    table_workbook,
    tables,
)
from dagster_project.exports.document import classified_by
from dagster_project.exports.gather_analysis import gather_analysis
from dagster_project.exports.making import Exported, ExportFailed, Writer, Written
from dagster_project.exports.pdf import first_page_png, render_pdf
from dagster_project.exports.records import Format, Kind, Language, Request
from dagster_project.exports.report import SCOPES, Period, ReportData, Scope
from dagster_project.exports.stores import OwnFile, StoreFailed, store_of
from dagster_project.exports.tables import Filters, Table
from dagster_project.exports.wording import LANGUAGES, Wording
from dagster_project.settings import Settings
from dagster_project.warehouse import connection, data_source

_TABLES: tuple[Format, ...] = ("csv", "csv-excel", "parquet", "xlsx")
FORMATS: dict[Kind, tuple[Format, ...]] = {
    "report": ("pdf", "xlsx", "csv", "csv-excel"),
    "chats": _TABLES, "agents": _TABLES, "kpis": _TABLES, "table": _TABLES, "analysis": (*_TABLES, "pdf"),
}  # fmt: skip


@dataclass(frozen=True)
class Order:
    """What is wanted.

    A report has a period (default: the last full week) and may be about one agent, department, channel or direction;
    an analysis has an id, a table the name of a mart; all else has filters. `sections` is the form
    `Section,Metric,Value,Unit` of an analysis as CSV, which a report as CSV always has.
    """

    kind: Kind
    format: Format
    language: Language = "es"
    filters: Filters = field(default_factory=Filters)
    period: Period | None = None
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
    order = _with_period(url, order)
    request = Request(order.kind, order.format, user, order.language, _filters(order), order.analysis_id, run_id)
    with connection.connect(url) as conn:
        is_demo = data_source.is_demo(conn)
    label = f"demo-{_label(order)}" if is_demo else _label(order)
    try:
        store = _own(own_file, making.file_name(request, label), is_demo) if own_file else store_of(settings)
    except StoreFailed as error:
        raise ExportFailed(str(error)) from None
    return making.export(
        url, store, request, _writer(order, settings, _now()), label=label, zone=settings.timezone,
        keep=timedelta(days=settings.exports_keep_days))  # fmt: skip


def last_week(conn: psycopg.Connection) -> Period:
    """The period of a report that names none: the last full week.

    Raises:
        ExportFailed: there are no chats yet.
    """
    monday = heatmap.last_full_week(conn)
    if monday is None:
        raise ExportFailed(heatmap.NOTHING_YET)
    return Period.week(monday)


def first_page(conn: psycopg.Connection, settings: Settings, order: Order) -> bytes:
    """The first page of a report, ordered with its period, as a small PNG."""
    return first_page_png(
        _gathered(conn, order, settings.timezone), language=order.language, timestamp=_now(),
        company=settings.company)  # fmt: skip


def _require_known(order: Order) -> None:
    """That formats, languages and scopes, which come from outside, are those that there are."""
    for name, value, known in (
        ("format", order.format, FORMATS[order.kind]), ("language", order.language, LANGUAGES),
        ("scope", order.scope, SCOPES),
    ):  # fmt: skip
        if value not in known:
            raise ExportFailed(f"the {name} of {order.kind} is one of {', '.join(known)}, not {value!r}")


def _own(path: Path, file_name: str, is_demo: bool) -> OwnFile:
    """The file that a user names, or one in the folder that it names. The name of made-up data always says "demo"."""
    path = path.resolve()
    path = path / file_name if path.is_dir() else path
    if is_demo and "demo" not in path.name.lower():
        path = path.with_stem(f"{path.stem}-demo")
    if not path.parent.is_dir():
        raise StoreFailed(f"there is no folder {path.parent}")
    if path.exists():
        raise StoreFailed(f"{path} is there already: exports are never written over")
    return OwnFile(path)


def _with_period(url: str, order: Order) -> Order:
    """The order, a report with its period."""
    if order.kind != "report" or order.period:
        return order
    with connection.connect(url) as conn:
        return replace(order, period=last_week(conn))


def _writer(order: Order, settings: Settings, made_at: datetime) -> Writer:
    """What writes the file."""
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
            return table_workbook.write(conn, out, table, language=order.language, zone=zone, made_at=made_at,
                                        filters=_filters(order))  # fmt: skip
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
        return report_workbook.write(out, data, order.language, made_at)
    if order.format != "pdf":
        rows = sections.of_report(data, order.language)
        return sections.write(out, rows, excel=_excel(order))
    out.write(render_pdf(data, language=order.language, timestamp=made_at, company=settings.company))
    notes = {"data_through": data.freshness.data_through, "classified_by": classified_by(data, Wording(order.language))}
    return Written(data.chat_count, notes=notes)


def _gathered(conn: psycopg.Connection, order: Order, zone: str) -> ReportData:
    if order.analysis_id:
        tables.analysis_notes(conn, order.analysis_id)  # refuses one that failed after its chats were chosen
        return gather_analysis(conn, order.analysis_id, timezone=zone)
    assert order.period
    return gather.gather(conn, order.period, scope=order.scope, scope_id=order.scope_id, timezone=zone)


def _table(conn: psycopg.Connection, order: Order) -> Table:
    if order.kind == "chats":
        return tables.chats(conn, order.filters, order.language)
    if order.kind == "agents":
        return tables.agents(conn, order.filters)
    if order.kind == "kpis":
        return tables.kpis(conn, order.filters)
    if order.kind == "analysis":
        return tables.analysis_kpis(conn, order.analysis_id or "", order.language)
    return tables.mart(conn, order.mart or "")


def _filters(order: Order) -> Mapping[str, Any]:
    """What was asked for, as plain values."""
    if order.kind == "report" and order.period:
        return {order.period.kind: order.period.start.isoformat(), **(
            {order.scope: order.scope_id} if order.scope != "all" else {})}  # fmt: skip
    named = {"analysis": order.analysis_id, "mart": order.mart, "form": "sections" if order.sections else None}
    return order.filters.as_values() | {name: value for name, value in named.items() if value}


def _label(order: Order) -> str:
    """The order's part of the file's name: dates, the name of a mart, the beginning of an analysis' id."""
    if order.kind == "report" and order.period:
        start = order.period.start
        return f"week-{start}" if order.period.kind == "week" else f"month-{start:%Y-%m}"
    if order.kind == "table":
        if not re.fullmatch(r"[a-z0-9_]{1,63}", order.mart or ""):
            raise ExportFailed("there is no mart of that name")
        return str(order.mart)
    if order.kind == "analysis":
        return re.sub(r"[^a-z0-9]", "", (order.analysis_id or "").lower())[:8] or "analysis"
    filters = order.filters
    return f"{filters.first or 'start'}_{filters.last or 'today'}" if filters.first or filters.last else "all"


def _now() -> datetime:
    """The time in whole seconds: PDF knows no others."""
    return datetime.now(UTC).replace(microsecond=0)
