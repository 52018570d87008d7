"""`b2chat archive …`: old months as verified files in the store of exports, and back."""

from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Annotated, Any

import typer

from dagster_project.cli.command_line import JsonOption, console, print_answer
from dagster_project.cli.run_log import log_on_terminal
from dagster_project.deployment import environment
from dagster_project.exports.stores.configured import store_of
from dagster_project.settings import Settings
from dagster_project.warehouse import connection
from dagster_project.warehouse.archive import restore, states, steps
from dagster_project.warehouse.archive.contract import TABLES, ArchiveFailed
from dagster_project.warehouse.archive.states import Archive

FAULTS = (ArchiveFailed,)
MAX_NAME = max(map(len, TABLES))

archive = typer.Typer(no_args_is_help=True, help="Old months: in the tables, or as verified Parquet files.")


@archive.command()
def status(
    contact: Annotated[
        str | None, typer.Option(help="Only the files that may hold something of this contact, by its id.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show which months are archived, where their files are, and how far each is."""
    settings = Settings.load()
    store = store_of(settings)
    with environment.running(settings) as deployment, connection.connect(deployment.url) as conn:
        found = states.holding(conn, contact) if contact else states.archives(conn, (*states.UNDER_WAY, "dropped"))
    shown = [_shown(one) | {"place": store.place(one.object_key)} for one in found]
    print_answer(as_json, {"archives": shown}, lambda: _print(shown, "nothing is archived"))


@archive.command("run")
def run_archive(
    older_than: Annotated[
        int | None, typer.Option(min=1, metavar="MONTHS", help="Default: B2CHAT_ARCHIVE_AFTER_MONTHS, else 24.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Archive what is old enough: write it to a file, read the file back, take the month out; drop it 7 days later.

    A run that was killed is resumed by the next one.
    """
    settings = Settings.load()
    months = older_than or settings.archive_after_months or 24
    with environment.running(settings) as deployment, log_on_terminal(quiet=as_json):
        moved = steps.run(deployment.url, store_of(settings), months, datetime.now(UTC).date())
        elsewhere = deployment.settings.elsewhere(deployment.url)
    shown = [_shown(one) for one in moved]

    def show() -> None:
        _print(shown, f"no month is to be moved on: archived from {months} months on")
        for source in elsewhere:
            console.print(f"{source} are in another database: their own months stay there", soft_wrap=True)

    print_answer(as_json, {"archives": shown, "elsewhere": elsewhere}, show)


@archive.command("restore")
def restore_month(
    table: Annotated[str, typer.Argument(help=f"One of {', '.join(TABLES)}; or all.")],
    month: Annotated[str, typer.Argument(help="A month, YYYY-MM; or all.")] = "all",
    as_json: JsonOption = False,
) -> None:
    """Bring a month back into its table, from its file; the file stays. `restore all` brings back everything."""
    settings = Settings.load()
    with environment.running(settings) as deployment, log_on_terminal(quiet=as_json):
        if (table, month) == ("all", "all"):
            back = restore.restore_all(deployment.url, store_of(settings))
        else:
            if table.split(".")[0] in deployment.settings.elsewhere(deployment.url):
                raise ArchiveFailed(f"{table} is in another database: no archive is made of it")
            back = restore.restore(deployment.url, store_of(settings), _table(table), _month(month))
    shown = [_shown(one) | {"state": "restored", "restored_rows": rows} for one, rows in back]
    print_answer(as_json, {"archives": shown}, lambda: _print(shown, "nothing is archived"))


def _table(name: str) -> str:
    if name not in TABLES:
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(TABLES)}")
    return name


def _month(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007  a month has no zone
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no month, YYYY-MM") from None


def _shown(one: Archive) -> dict[str, Any]:
    names = ("table_name", "state", "row_count", "bytes", "sha256")
    at = asdict(one)[f"{one.state}_at"]
    return {"month": f"{one.month:%Y-%m}", **{name: getattr(one, name) for name in names}, "since": str(at)[:19]}


def _print(shown: list[dict[str, Any]], nothing: str) -> None:
    for one in shown:
        rows = one.get("restored_rows", one["row_count"])
        told = f"{rows:>12,} rows" if rows is not None else ""
        size = f"{one['bytes'] / 2**20:>8,.1f} MiB" if one["bytes"] else ""
        console.print(
            f"{one['month']}  {one['table_name']:<{MAX_NAME}} {one['state']:<9} {told}{size}  {one.get('place', '')}"
        )
    if not shown:
        console.print(nothing)
