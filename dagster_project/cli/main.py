"""The command `b2chat`: puts the commands together. Each group of them is a module of its own.

Exit codes: 0 done, 1 failed, 2 wrong usage or setting, 3 ended early (the day's quota).
"""

import os
import signal
import sys

import typer

from dagster_project.cli.command_line import FAILED, MISUSED, fail
from dagster_project.cli.commands import (
    alerts,
    analysis,
    archive,
    backup,
    calls,
    dashboard,
    exports,
    marts,
    people,
    pipeline,
    review,
    rooms,
    servers,
    settings,
    users,
    warehouse,
)
from dagster_project.settings import SettingsError

app = typer.Typer(
    name="b2chat",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Turn B2Chat conversations into numbers that a support manager acts on, in your own Postgres.\n\n"
    "Start with **b2chat demo**: it needs no account and no database. For a real account set B2CHAT_CLIENT_ID and "
    "B2CHAT_CLIENT_SECRET (environment or `.env`), look with **b2chat check**, then run **b2chat sync** and "
    "**b2chat build**, or open the Dagster UI with **b2chat ui**.\n\n"
    "Exit codes: 0 done, 1 failed, 2 wrong usage or setting, 3 ended early because the day's requests are used up.",
)
_ANY_ARGUMENTS = {"allow_extra_args": True, "ignore_unknown_options": True}

# In the order of `b2chat --help`.
app.command()(pipeline.demo)
app.command()(pipeline.refresh)
app.command()(servers.ui)
app.command()(pipeline.check)
app.command()(pipeline.sync)
app.command()(pipeline.status)
app.command()(pipeline.metrics)
app.command()(warehouse.audit)
app.command()(analysis.analyze)
app.command("analyses")(analysis.list_analyses)
app.command()(analysis.evaluate)
app.command()(servers.fake_claude)
app.command()(pipeline.retry_quarantine)
app.command()(people.erase)
app.command()(people.person)
app.command()(pipeline.build)
app.command()(backup.backup)
app.command("backups")(backup.list_backups)
app.command()(backup.restore)
app.command()(backup.drill)
app.command()(marts.heatmap)
app.command("list")(marts.list_members)
app.command()(servers.mcp)
app.command()(marts.docs)
app.command()(servers.sandbox)
app.command("exec", context_settings=_ANY_ARGUMENTS)(servers.run_program)

db = typer.Typer(no_args_is_help=True, help="The warehouse's Postgres: start, stop, address, prompt.")
db.command()(warehouse.up)
db.command()(warehouse.down)
db.command()(warehouse.url)
db.command()(warehouse.bi_url)
db.command()(warehouse.bi_sql)
db.command(context_settings=_ANY_ARGUMENTS)(warehouse.psql)
app.add_typer(db, name="db")

customer_analyses = typer.Typer(no_args_is_help=True, help="Customer analyses: delete one.")
customer_analyses.command("delete")(analysis.delete_analysis)
app.add_typer(customer_analyses, name="analysis")
app.add_typer(exports.export, name="export")
app.add_typer(exports.exports, name="exports")
app.add_typer(review.review, name="review")
app.add_typer(archive.archive, name="archive")
app.add_typer(rooms.rooms, name="rooms")
app.add_typer(calls.calls, name="calls")
app.add_typer(alerts.alerts, name="alerts")
app.add_typer(dashboard.dashboard, name="dashboard")
app.add_typer(users.users, name="users")
app.add_typer(settings.settings, name="settings")


def main() -> None:
    """Run the command line: faults of settings and of the machine become one line and an exit code."""
    # What we and our children write is its owner's alone: it may hold what customers said.
    os.umask(0o077)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        app()
    except Exception as error:
        if not (code := _exit_code(error)):
            raise
        fail(str(error), code)


def _exit_code(error: Exception) -> int | None:
    """The exit code of a fault whose text is one line for the user; None for any other."""
    from dagster_project.exports.pictures import heatmap  # noqa: PLC0415  only where something failed
    from dagster_project.warehouse import binaries, directory, migrations  # noqa: PLC0415

    if isinstance(error, (SettingsError, *review.FAULTS, *warehouse.FAULTS, *users.MISUSES)):
        return MISUSED
    known = (
        binaries.PostgresMissing,
        migrations.NewerWarehouse,
        heatmap.NoSuchWeek,
        directory.NoSuchMember,
        *exports.FAULTS,
        *archive.FAULTS,
        *backup.FAULTS,
        *people.FAULTS,
        *rooms.FAULTS,
        *dashboard.FAULTS,
        *users.FAULTS,
    )
    return FAILED if isinstance(error, known) else None
