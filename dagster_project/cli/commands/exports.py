"""`b2chat export …`, which writes reports and tables to files, and `b2chat exports …`, which looks after the files."""

from dataclasses import replace
from datetime import UTC, date, datetime
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import typer
from rich.markup import escape

from dagster_project.cli.command_line import JsonOption, choice, console, day, in_order, print_answer
from dagster_project.deployment import environment
from dagster_project.exports import export_log, service
from dagster_project.exports.errors import ExportFailed
from dagster_project.exports.export_log import Kind
from dagster_project.exports.formats.registry import described, formats_of, titles
from dagster_project.exports.i18n.language import LANGUAGES, Language
from dagster_project.exports.report.data.about import DIRECTIONS, Scope
from dagster_project.exports.report.period import NoReport, Period
from dagster_project.exports.requests import LAST, ExportRequest
from dagster_project.exports.run import run_export
from dagster_project.exports.stores.configured import store_of
from dagster_project.exports.stores.contract import StoreFailed
from dagster_project.exports.stores.own_file import OwnFile
from dagster_project.exports.tables.catalogue import TABLES, By, Export
from dagster_project.exports.tables.table import Filters
from dagster_project.settings import Settings
from dagster_project.warehouse import connection
from dagster_project.warehouse.access import audit_log, users

export = typer.Typer(no_args_is_help=True, help=f"Write a report or a table to a file: {titles()}.")
exports = typer.Typer(no_args_is_help=True, help="The files made by `b2chat export`: list, open, delete old ones.")
Latest = Literal["week", "month"] | None
FAULTS = (ExportFailed, StoreFailed, export_log.NoSuchExport)  # one line each


def _format_option(kind: Kind) -> Any:
    """The option --format of what can be exported as `kind`: its choices, and when to choose which."""
    return choice([one.name for one in formats_of(kind)], "--format", help=described(kind))


Out = Annotated[
    Path | None, typer.Option(help="A file, or a folder for it, instead of the store. Never written over, nor deleted.")
]
LanguageOption = Annotated[str | None, choice(LANGUAGES, help="Default: B2CHAT_EXPORTS_LANGUAGE.")]
ReportFormat = Annotated[str, _format_option("report")]
TableFormat = Annotated[str, _format_option("table")]
AnalysisFormat = Annotated[str, _format_option("analysis")]
Week = Annotated[str | None, typer.Option(help="Monday of a week, YYYY-MM-DD; or last, the last full one.")]
Month = Annotated[str | None, typer.Option(help="A month, YYYY-MM; or last, the one before the newest chat's.")]
First = Annotated[str | None, typer.Option("--from", help="First local day, YYYY-MM-DD …")]
Last = Annotated[str | None, typer.Option("--to", help="… and last.")]
Agents = Annotated[list[str] | None, typer.Option("--agent", help="An agent's name or id; may be given several times.")]
Departments = Annotated[list[str] | None, typer.Option("--department", help="A department's name or id; the same.")]
Channels = Annotated[
    list[str] | None, typer.Option("--channel", help="A channel, as `b2chat list channels` has them; the same.")
]

_FILTERS: dict[By, dict[str, Any]] = {
    "days": {"week": Week, "month": Month, "first": First, "last": Last},
    "agents": {"agent": Agents},
    "departments": {"department": Departments},
    "channels": {"channel": Channels},
}


@export.command()
def report(
    form: ReportFormat = "pdf",
    week: Week = None,
    month: Month = None,
    agent: Annotated[str | None, typer.Option(help="About one agent: the name or id.")] = None,
    department: Annotated[str | None, typer.Option(help="About one department: the name or id.")] = None,
    channel: Annotated[str | None, typer.Option(help="About one channel.")] = None,
    source: Annotated[
        str | None,
        typer.Option(
            help="About one source, the system that chats come from; or all: together, which leaves times out."
        ),
    ] = None,
    direction: Annotated[str | None, choice(DIRECTIONS, help="About one direction.")] = None,
    language: LanguageOption = None,
    out: Out = None,
    as_json: JsonOption = False,
) -> None:
    """The report of a week or a month; default: the last full week."""
    asked = {"agent": agent, "department": department, "channel": channel, "source": source, "direction": direction}
    about = [(scope, str(key)) for scope, key in asked.items() if key]
    if len(about) > 1:
        raise typer.BadParameter("a report is about one agent, department, channel, source or direction, or about all")
    scope, key = about[0] if about else (None, "all")
    if (scope, key) == ("source", "all"):
        scope = "all"
    period, latest = _period(week, month)
    request = ExportRequest("report", form, period=period, latest=latest, scope=cast(Scope | None, scope), scope_id=key)
    _export(request, language, out, as_json)


def _table_command(kind: Kind, one: Export) -> None:
    """The command of a table: the options of its format, and those of what it can be filtered by."""
    options: dict[str, Any] = {"form": TableFormat}
    for by in one.by:
        options |= _FILTERS[by]
    options |= {"language": LanguageOption, "out": Out, "as_json": JsonOption}
    defaults = {"form": "csv", "as_json": False}

    def command(form: str, language: str | None, out: Path | None, as_json: bool, **filters: Any) -> None:
        chosen, latest = _filters(**filters)
        _export(ExportRequest(kind, form, filters=chosen, latest=latest), language, out, as_json)

    # What typer reads the options from.
    command.__signature__ = Signature(  # type: ignore[attr-defined]
        [
            Parameter(name, Parameter.KEYWORD_ONLY, default=defaults.get(name), annotation=option)
            for name, option in options.items()
        ]
    )
    export.command(kind, help=one.row)(command)


for _kind, _one in TABLES.items():
    _table_command(_kind, _one)


@export.command()
def analysis(
    analysis_id: Annotated[str, typer.Argument(help="Its id, as `b2chat analyses` shows it.")],
    form: AnalysisFormat = "csv",
    sections: Annotated[bool, typer.Option("--sections", help="As Section,Metric,Value,Unit.")] = False,
    language: LanguageOption = None,
    out: Out = None,
    as_json: JsonOption = False,
) -> None:
    """The KPIs of an analysis, those of each agent and department too."""
    request = ExportRequest("analysis", form, analysis_id=analysis_id, sections=sections)
    _export(request, language, out, as_json)


@export.command()
def table(
    mart: Annotated[str, typer.Argument(help="A table or view of the schema marts, such as sla_daily.")],
    form: TableFormat = "csv",
    language: LanguageOption = None,
    out: Out = None,
    as_json: JsonOption = False,
) -> None:
    """A whole mart."""
    _export(ExportRequest("table", form, mart=mart.removeprefix("marts.")), language, out, as_json)


@exports.command("list")
def list_exports(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many of the newest.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Show the newest exports, whatever became of them."""
    from dagster_project.cli import render  # noqa: PLC0415

    settings = Settings.load()
    with environment.running(settings) as deployment, connection.connect(deployment.url) as conn:
        found = export_log.listed(conn, limit)
    print_answer(as_json, {"exports": found}, lambda: render.print_exports(console, found, settings.zone))


@exports.command()
def link(
    export_id: Annotated[str, typer.Argument(help="Its id, or how the id begins, as `b2chat exports list` shows it.")],
    hours: Annotated[
        int | None, typer.Option(min=1, max=168, help="Hours that a signed link works: B2CHAT_EXPORTS_LINK_HOURS.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Print where an export's file is; of a bucket a signed link, which opens it for whoever has it."""
    with environment.running(Settings.load()) as deployment, connection.connect(deployment.url) as conn:
        settings = deployment.settings
        users.require(conn, users.account(), "open an export")
        found = export_log.readable(conn, export_id)
        audit_log.record(conn, "export.link", resource="export", resource_id=found.id, user=users.account())
    store = store_of(settings)
    if found.store == OwnFile.NAME:
        address = found.file_url
    elif found.store != store.name:
        raise StoreFailed(f"it lies in {found.store}, and {store.name} is in use")
    else:
        address = store.link(found.key, (hours or settings.exports_link_hours) * 3600)
    print_answer(as_json, {"id": found.id, "link": address}, lambda: print(address))  # noqa: T201


@exports.command()
def clean_up(as_json: JsonOption = False) -> None:
    """Delete the files whose time is over, and close exports that were killed."""
    settings = Settings.load()
    with environment.running(settings) as deployment, connection.connect(deployment.url, autocommit=True) as conn:
        audit_log.acting(conn, users.account())
        deleted, stayed = service.clean_up(conn, store_of(settings), datetime.now(UTC))
    print_answer(
        as_json,
        {"deleted": deleted, "stayed": stayed},
        lambda: console.print(
            f"{deleted} deleted" + (f", [red]{stayed} could not be deleted and stay listed[/red]" if stayed else "")
        ),
    )
    if stayed:
        raise typer.Exit(1)


def _export(request: ExportRequest, language: str | None, out: Path | None, as_json: bool) -> None:
    with environment.running(Settings.load()) as deployment:
        settings = deployment.settings
        request = replace(request, language=cast(Language, language or settings.exports_language))
        made = run_export(deployment.url, settings, request, user=users.account(), own_file=out)
    print_answer(as_json, vars(made), lambda: _show(made, settings))


def _show(made: service.Exported, settings: Settings) -> None:
    from dagster_project.cli import render  # noqa: PLC0415

    render.print_data_source(console, made.data_source)
    expires = f", kept until {made.expires_at.astimezone(settings.zone):%Y-%m-%d %H:%M}" if made.expires_at else ""
    console.print(
        f"[bold]{escape(made.place)}[/bold]\n{made.rows:,} rows, {made.size_bytes:,} bytes{expires}\n"
        f"sha256 {made.sha256}\nid {made.id}",
        soft_wrap=True,
    )


def _period(week: str | None, month: str | None) -> tuple[Period | None, Latest]:
    """The week or month that is named; or which of them is to be the last full one."""
    if week and month:
        raise typer.BadParameter("--week and --month exclude each other")
    if LAST in (week, month):
        return None, "week" if week else "month"
    try:
        if week:
            return Period.week(day(week, "--week")), None
        return (Period.month(date.fromisoformat(f"{month}-01")) if month else None), None
    except NoReport as error:
        raise typer.BadParameter(str(error), param_hint="--week") from None
    except ValueError:
        raise typer.BadParameter(f"{month!r} is not a month such as 2026-01, or last", param_hint="--month") from None


def _filters(
    week: str | None = None,
    month: str | None = None,
    first: str | None = None,
    last: str | None = None,
    agent: list[str] | None = None,
    department: list[str] | None = None,
    channel: list[str] | None = None,
) -> tuple[Filters, Latest]:
    period, latest = _period(week, month)
    if (week or month) and (first or last):
        raise typer.BadParameter("--week, --month and --from/--to exclude each other")
    since = period.start if period else day(first, "--from") if first else None
    until = period.end if period else day(last, "--to") if last else None
    in_order(since, until)
    return Filters(since, until, agent or (), department or (), channel or ()), latest
