"""`b2chat calls …`: the operational database of a call widget."""

from dataclasses import asdict

import typer

from dagster_project.cli.command_line import JsonOption, console, print_answer
from dagster_project.deployment import environment, own_schemas
from dagster_project.deployment.own_schemas import Upgraded
from dagster_project.settings import Settings

calls = typer.Typer(no_args_is_help=True, help="Calls of a website's widget: the database that holds them.")


@calls.callback()
def _calls() -> None:
    """A group, though it has one command."""


@calls.command()
def upgrade(as_json: JsonOption = False) -> None:
    """Make the schema calls where CALLS_DATABASE_URL says, or bring it up to this version; also its months."""
    with environment.running(environment.for_work(Settings.load())) as deployment:
        url = own_schemas.place_of(deployment.settings, "calls", deployment.url)
        done = own_schemas.bring_up("calls", url)
    print_upgraded("calls", done, as_json)


def print_upgraded(schema: str, done: Upgraded, as_json: bool) -> None:
    """What came of the upgrade of a source's own schema."""
    told = (
        f"{schema} is at revision {done.now} (before: {done.before or 'none'}); {done.partitions_made} partitions made"
    )
    print_answer(as_json, asdict(done), lambda: console.print(told))
