"""The command `b2chat`: puts the commands together. Each group of them is a module of its own.

Exit codes: 0 done, 1 failed, 2 wrong usage or setting, 3 ended early (the day's quota).
"""

import os
import signal
import sys

import typer

from dagster_project.cli import (
    alert_commands,
    analysis_commands,
    archive_commands,
    audit_commands,
    dashboard_commands,
    export_commands,
    mart_commands,
    mcp_commands,
    pipeline_commands,
    review_commands,
    server_commands,
    warehouse_commands,
)
from dagster_project.cli.command_line import FAILED, MISUSED, fail
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
app.command()(pipeline_commands.demo)
app.command()(pipeline_commands.refresh)
app.command()(server_commands.ui)
app.command()(pipeline_commands.check)
app.command()(pipeline_commands.sync)
app.command()(pipeline_commands.status)
app.command()(pipeline_commands.metrics)
app.command()(audit_commands.audit)
app.command()(analysis_commands.analyze)
app.command("analyses")(analysis_commands.list_analyses)
app.command()(analysis_commands.evaluate)
app.command()(server_commands.fake_claude)
app.command()(pipeline_commands.retry_quarantine)
app.command()(pipeline_commands.build)
app.command()(mart_commands.heatmap)
app.command("list")(mart_commands.list_members)
app.command()(mcp_commands.mcp)
app.command()(mart_commands.docs)
app.command()(server_commands.sandbox)
app.command("exec", context_settings=_ANY_ARGUMENTS)(server_commands.run_program)

db = typer.Typer(no_args_is_help=True, help="The warehouse's Postgres: start, stop, address, prompt.")
db.command()(warehouse_commands.up)
db.command()(warehouse_commands.down)
db.command()(warehouse_commands.url)
db.command()(warehouse_commands.bi_url)
db.command()(warehouse_commands.bi_sql)
db.command(context_settings=_ANY_ARGUMENTS)(warehouse_commands.psql)
app.add_typer(db, name="db")

analysis = typer.Typer(no_args_is_help=True, help="Customer analyses: delete one.")
analysis.command("delete")(analysis_commands.delete_analysis)
app.add_typer(analysis, name="analysis")
app.add_typer(export_commands.export, name="export")
app.add_typer(export_commands.exports, name="exports")
app.add_typer(review_commands.review, name="review")
app.add_typer(archive_commands.archive, name="archive")
app.add_typer(alert_commands.alerts, name="alerts")
app.add_typer(dashboard_commands.dashboard, name="dashboard")


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

    if isinstance(error, (SettingsError, *review_commands.FAULTS, *audit_commands.FAULTS)):
        return MISUSED
    known = (
        binaries.PostgresMissing,
        migrations.NewerWarehouse,
        heatmap.NoSuchWeek,
        directory.NoSuchMember,
        *export_commands.FAULTS,
        *archive_commands.FAULTS,
        *dashboard_commands.FAULTS,
    )
    return FAILED if isinstance(error, known) else None
