"""Runs an export request: what is read, which format writes it, where it goes. The way in for commands and Dagster."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import psycopg

from dagster_project.exports import service
from dagster_project.exports.errors import ExportFailed
from dagster_project.exports.export_log import LogEntry
from dagster_project.exports.formats.format import Options, WriteResult
from dagster_project.exports.formats.registry import FORMATS
from dagster_project.exports.report import sections
from dagster_project.exports.report.data.report import ReportData
from dagster_project.exports.report.pdf import first_page_png
from dagster_project.exports.report.reading.analysis import read_analysis
from dagster_project.exports.report.reading.report import read_report
from dagster_project.exports.requests import (
    ExportRequest,
    days_with_chats,
    filters_of,
    label,
    require_known,
    resolved,
    with_ids,
)
from dagster_project.exports.service import Exported, Writer
from dagster_project.exports.stores.configured import store_of
from dagster_project.exports.stores.contract import StoreFailed, reason_of
from dagster_project.exports.stores.own_file import OwnFile
from dagster_project.exports.tables import catalogue
from dagster_project.exports.tables.analysis import analysis_kpis, analysis_notes
from dagster_project.exports.tables.mart_rows import whole_mart
from dagster_project.exports.tables.table import NothingToExport, Table
from dagster_project.settings import Settings
from dagster_project.warehouse import connection, data_source, directory
from dagster_project.warehouse.access import users


def run_export(
    url: str,
    settings: Settings,
    request: ExportRequest,
    *,
    user: str,
    run_id: str | None = None,
    own_file: Path | None = None,
) -> Exported:
    """Export what is asked for and keep it.

    Args:
        url: the warehouse.
        settings: the store, the zone and how long to keep it.
        request: what is wanted.
        user: who wants it, for the log.
        run_id: of the run that makes it.
        own_file: a file, or a folder for it, instead of the store.

    Raises:
        ExportFailed: it cannot be made; one line.
    """
    require_known(request)
    with connection.connect(url) as conn:
        try:
            users.require(conn, user, "ask for an export")
        except users.NotAllowed as error:
            raise ExportFailed(str(error)) from None
        request = resolved(conn, request)
        is_demo = data_source.is_demo(conn)
    filters = filters_of(request)
    entry = LogEntry(request.kind, request.format, user, request.language, filters, request.analysis_id, run_id)
    named = f"demo-{label(request)}" if is_demo else label(request)
    options = Options(request.language, settings.timezone, _now(), filters, settings.company)
    try:
        store = _own(own_file, service.file_name(entry, named), is_demo) if own_file else store_of(settings)
    except StoreFailed as error:
        raise ExportFailed(str(error)) from None
    return service.export(
        url,
        store,
        entry,
        _writer(request, options),
        label=named,
        zone=settings.timezone,
        keep=timedelta(days=settings.exports_keep_days),
    )


def first_page(conn: psycopg.Connection, settings: Settings, request: ExportRequest) -> bytes:
    """The first page of a report, whose request has a period, as a small PNG."""
    return first_page_png(
        _report_data(conn, with_ids(conn, request), settings.timezone),
        language=request.language,
        timestamp=_now(),
        company=settings.company,
    )


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


def _writer(request: ExportRequest, options: Options) -> Writer:
    """What writes the file; a file of a period or of somebody that would hold nothing is not made."""

    def write(conn: psycopg.Connection, out: BinaryIO) -> WriteResult:
        result = _write(conn, out, request, options)
        if not result.rows and options.filters and request.kind not in ("analysis", "table"):
            days = days_with_chats(conn)
            there_are = f"there are chats from {days[0]} to {days[1]}" if days else directory.NOTHING_YET
            raise NothingToExport(f"nothing to export of {_in_words(options.filters)}: {there_are}")
        return result

    return write


def _write(conn: psycopg.Connection, out: BinaryIO, request: ExportRequest, options: Options) -> WriteResult:
    chosen = FORMATS[request.format]
    if chosen.report and request.kind in ("report", "analysis"):
        return chosen.report(out, _report_data(conn, request, options.zone), options)
    if chosen.sections and request.kind == "report":
        rows = sections.of_report(_report_data(conn, request, options.zone), options.language)
        return chosen.sections(out, rows, options)
    table = _table(conn, request)
    if chosen.sections and request.sections and request.analysis_id:
        return chosen.sections(out, sections.of_analysis(conn, request.analysis_id, options.language), options)
    assert chosen.table, chosen.name  # or `require_known` would have refused it
    return chosen.table(conn, out, table, options)


def _in_words(filters: Mapping[str, Any]) -> str:
    """Filters in one line: "from 2031-01-01, to 2031-01-31, agents ana"."""
    values = {name: ", ".join(value) if isinstance(value, list) else value for name, value in filters.items()}
    return ", ".join(f"{name} {directory.shortened(str(value))}" for name, value in values.items())


def _report_data(conn: psycopg.Connection, request: ExportRequest, zone: str) -> ReportData:
    if request.analysis_id:
        analysis_notes(conn, request.analysis_id)  # refuses one that failed after its chats were chosen
        return read_analysis(conn, request.analysis_id, timezone=zone)
    assert request.period
    return read_report(conn, request.period, scope=request.scope or "all", scope_id=request.scope_id, timezone=zone)


def _table(conn: psycopg.Connection, request: ExportRequest) -> Table:
    if request.kind in catalogue.TABLES:
        return catalogue.table(conn, request.kind, request.filters, request.language)
    if request.kind == "analysis":
        return analysis_kpis(conn, request.analysis_id or "", request.language)
    return whole_mart(conn, request.mart or "")


def _now() -> datetime:
    """The time in whole seconds: PDF knows no others."""
    return datetime.now(UTC).replace(microsecond=0)
