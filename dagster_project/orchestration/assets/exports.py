"""Reports and tables as files for people, and the job that deletes old ones.

A file is where its store keeps it; the run's metadata says where, never with a link that opens it. Whatever delivers
files later reads the same from `ops.export_logs`, by the run's id.
"""

import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, cast

import dagster as dg
import psycopg
from pydantic import Field

from dagster_project.exports import requests, service
from dagster_project.exports.errors import ExportFailed
from dagster_project.exports.export_log import Kind
from dagster_project.exports.formats.registry import described
from dagster_project.exports.i18n.language import Language
from dagster_project.exports.report.data.about import Scope
from dagster_project.exports.report.period import NoReport, Period
from dagster_project.exports.requests import LAST, ExportRequest
from dagster_project.exports.run import first_page, run_export
from dagster_project.exports.service import Exported
from dagster_project.exports.stores.configured import store_of
from dagster_project.exports.stores.contract import StoreFailed
from dagster_project.exports.tables.catalogue import TABLES, Export, absent
from dagster_project.exports.tables.table import Filters
from dagster_project.orchestration.assets.launch import config_day, starter
from dagster_project.orchestration.resources import Warehouse
from dagster_project.orchestration.ui import markdown
from dagster_project.settings import Settings

log = logging.getLogger(__name__)

_MAX_PICTURE_BYTES = 200_000  # bytes, in the run's metadata
_REPORT_READS = (
    "kpi_daily",
    "chat_response_times",
    "response_times_weekly",
    "response_times_monthly",
    "sla_daily",
    "agent_daily",
    "conversation_traffic_heatmap",
    "backlog_daily",
    "chat_categories",
    "data_quality",
    "data_freshness",
    *("escalations_by_period", "robots_by_period"),
    *("calls_by_period", "coverage_by_period", "call_agents_by_period", "staffing_need", "funnel_by_period"),
)


class ReportConfig(dg.Config):
    """Which report, and how it is written."""

    formats: list[str] = Field(
        ["pdf", "xlsx"], min_length=1, description=f"Each is a file of its own. {described('report')}."
    )
    week: str = Field("", description="The week's Monday, YYYY-MM-DD, or last; default: the last full week.")
    month: str = Field("", description="A month instead, YYYY-MM, or last.")
    scope: str = Field(
        "",
        description="Whose chats: all, agent, department, channel, source or direction; "
        "empty: all, or the first of several sources.",
    )
    scope_id: str = Field("all", description="Name or id of that agent or department, channel, source or direction.")
    language: str = Field("", description="es or en; default: B2CHAT_EXPORTS_LANGUAGE.")


class TableConfig(dg.Config):
    """Which rows, and how they are written; a list that is empty is all."""

    format: str = Field("csv", description=f"{described('table')}.")
    date_start: str = Field("", description="First local day, YYYY-MM-DD.")
    date_end: str = Field("", description="Last local day, YYYY-MM-DD.")
    agents: list[str] = Field([], description="Names or ids of agents.")
    departments: list[str] = Field([], description="Names or ids of departments, where the table has them.")
    channels: list[str] = Field([], description="Channels, as `b2chat list channels` has them; the same.")
    language: str = Field("", description="es or en; default: B2CHAT_EXPORTS_LANGUAGE.")


@dg.asset(
    key=["exports", "report"],
    deps=[dg.AssetKey(["marts", name]) for name in _REPORT_READS],
    group_name="exports",
    owners=["team:analytics"],
    kinds={"python", "pdf", "excel"},
    description="The report of a week or a month, as PDF and Excel: summary with changes, heatmap, times, SLA, "
    "agents, what customers want (with who categorized it), operations, data notes.",
)
def period_report(
    context: dg.AssetExecutionContext, config: ReportConfig, warehouse: Warehouse
) -> dg.MaterializeResult:
    settings = warehouse.settings()
    try:
        with warehouse.connect() as conn:
            period = _period(conn, config.week, config.month)
    except (NoReport, ExportFailed) as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    metadata: dict[str, dg.MetadataValue] = {}
    for form in config.formats:
        request = ExportRequest(
            "report",
            form,
            _language(config.language, settings),
            period=period,
            # A channel was called provider here before.
            scope=cast(Scope | None, "channel" if config.scope == "provider" else config.scope or None),
            scope_id=config.scope_id,
        )
        made = _export(context, warehouse, settings, request)
        metadata |= {f"{form.replace('-', '_')}_{name}": value for name, value in _metadata(made).items()}
        if form == "pdf":
            metadata |= _picture(warehouse, settings, request)
    return dg.MaterializeResult(metadata=metadata)


def _table_asset(kind: Kind, one: Export) -> Any:
    @dg.asset(
        key=["exports", kind],
        deps=[dg.AssetKey(["marts", name]) for name in one.marts],
        group_name="exports",
        owners=["team:analytics"],
        kinds={"python", "csv"},
        description=one.row,
        output_required=one.source is None,
    )
    def table(
        context: dg.AssetExecutionContext, config: TableConfig, warehouse: Warehouse
    ) -> Iterator[dg.MaterializeResult]:
        settings = warehouse.settings()
        with warehouse.connect() as conn:
            if why := absent(conn, kind):
                context.log.info(f"nothing is written: {why}")
                return
        filters = Filters(
            config_day(config.date_start, "date_start"),
            config_day(config.date_end, "date_end"),
            config.agents,
            config.departments,
            config.channels,
        )
        request = ExportRequest(kind, config.format, _language(config.language, settings), filters)
        yield dg.MaterializeResult(metadata=_metadata(_export(context, warehouse, settings, request)))

    return table


TABLE_EXPORTS = {kind: _table_asset(kind, one) for kind, one in TABLES.items()}
EXPORTS = [period_report, *TABLE_EXPORTS.values()]


@dg.op(description="Delete the files of exports whose time is over, and close exports that were killed.")
def delete_old_exports(context: dg.OpExecutionContext, warehouse: Warehouse) -> None:
    with warehouse.connect() as conn:
        conn.autocommit = True
        try:
            deleted, stayed = service.clean_up(conn, store_of(Settings.load()), datetime.now(UTC))
        except StoreFailed as error:
            raise dg.Failure(str(error)) from None
    context.log.info(f"{deleted} deleted, {stayed} could not be deleted and stay listed")
    context.add_output_metadata({"deleted": deleted, "stayed": stayed})


@dg.job(
    name="clean_up_exports",
    executor_def=dg.in_process_executor,
    description="Delete the files of exports whose time is over; a record follows its file, never the other way.",
)
def clean_up_exports_job() -> None:
    delete_old_exports()


def _export(
    context: dg.AssetExecutionContext, warehouse: Warehouse, settings: Settings, request: ExportRequest
) -> Exported:
    user = starter(context.run)
    try:
        return run_export(warehouse.url, settings, request, user=user, run_id=context.run.run_id)
    except ExportFailed as error:
        raise dg.Failure(str(error), allow_retries=False) from None


def _metadata(made: Exported) -> Mapping[str, dg.MetadataValue]:
    """What the UI shows of a file. A link into a bucket is a secret: `b2chat exports link` makes one."""
    in_folder = made.store.startswith("folder:")
    values: dict[str, dg.MetadataValue] = {
        "file": dg.MetadataValue.path(made.place) if in_folder else dg.MetadataValue.text(made.place),
        "open_with": dg.MetadataValue.text(f"b2chat exports link {made.id}"),
        "data": dg.MetadataValue.text("demo data, not real" if made.data_source == "sandbox" else "of the account"),
        "key": dg.MetadataValue.text(made.key),
        "rows": dg.MetadataValue.int(made.rows),
        "size_bytes": dg.MetadataValue.int(made.size_bytes),
        "sha256": dg.MetadataValue.text(made.sha256),
    }
    if made.expires_at:
        values["expires_at"] = dg.MetadataValue.timestamp(made.expires_at)
    return values


def _picture(warehouse: Warehouse, settings: Settings, request: ExportRequest) -> dict[str, dg.MetadataValue]:
    """The first page, where it is small enough to be kept in a run's metadata."""
    with warehouse.connect() as conn:
        png = first_page(conn, settings, request)
    if len(png) > _MAX_PICTURE_BYTES:
        return {}
    return {"first_page": markdown.picture("report", png)}


def _language(wanted: str, settings: Settings) -> Language:
    return cast(Language, wanted or settings.exports_language)


def _period(conn: psycopg.Connection, week: str, month: str) -> Period:
    if week and month:
        raise NoReport("week and month exclude each other")
    if month == LAST:
        return requests.last_month(conn)
    if day := config_day(month and f"{month}-01", "month"):
        return Period.month(day)
    monday = None if week == LAST else config_day(week, "week")
    return Period.week(monday) if monday else requests.last_week(conn)
