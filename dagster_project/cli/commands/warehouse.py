"""`b2chat db …`: the warehouse's Postgres."""

import shutil

import typer

from dagster_project.cli.child_process import run_child
from dagster_project.cli.command_line import JsonOption, console, print_answer
from dagster_project.deployment import environment
from dagster_project.settings import Settings, SettingsError
from dagster_project.warehouse import binaries, connection, embedded
from dagster_project.warehouse.access import bi_access


def up() -> None:
    """Start the embedded Postgres and let it run on, for BI tools, until `b2chat db down`."""
    settings = Settings.load()
    if not connection.configured_url(settings):
        embedded.keep(settings.data_path / "pg", True)
    with environment.running(settings) as deployment:
        shown = connection.without_password(deployment.url)
        console.print(f"up: {shown}  (`b2chat db bi-url` prints the address for BI tools)")


def down() -> None:
    """Stop the embedded Postgres as soon as nobody uses it any more."""
    settings = Settings.load()
    if connection.configured_url(settings):
        raise SettingsError("DATABASE_URL (or POSTGRES_HOST) is set: that server is not ours to stop")
    embedded.keep(settings.data_path / "pg", False)
    with connection.warehouse(settings):
        pass
    console.print("down (another `b2chat` that still runs keeps it up until it ends)")


def url(as_json: JsonOption = False) -> None:
    """Print the warehouse's address, with its owner's password, for psql and administration."""
    with environment.running(Settings.load()) as deployment:
        print_answer(as_json, {"url": deployment.url}, lambda: print(deployment.url))  # noqa: T201


def bi_url(as_json: JsonOption = False) -> None:
    """Print the address for BI tools, with its password: the role bi_reader, which reads the marts and nothing else."""
    with environment.running(settings := Settings.load()) as deployment:
        address = bi_access.url_with_password(settings, deployment.url)
        print_answer(as_json, {"url": address}, lambda: print(address))  # noqa: T201


def bi_sql(as_json: JsonOption = False) -> None:
    """Print the SQL that makes bi_reader with its limits, for an administrator of a server where we may not."""
    with environment.running(settings := Settings.load()) as deployment:
        script = bi_access.script(settings, deployment.url)
        print_answer(as_json, {"sql": script}, lambda: print(script))  # noqa: T201


def psql(context: typer.Context) -> None:
    """Open a prompt on the warehouse; arguments go to psql (`b2chat db psql -c "select 1"`)."""
    settings = Settings.load()
    # The packaged psql speaks no TLS, which a named server may ask for.
    of_the_machine = shutil.which("psql") if connection.configured_url(settings) else None
    with environment.running(settings):
        program = of_the_machine or str(binaries.find(settings.pg_bin).folder / "psql")
        raise typer.Exit(run_child([program, *context.args]))
