"""`b2chat rooms …`: the operational database of chat rooms."""

import contextlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from dagster_project.cli.command_line import JsonOption, console, print_answer
from dagster_project.deployment import environment, own_schemas
from dagster_project.deployment import rooms as deployed
from dagster_project.settings import Settings, SettingsError
from dagster_project.sources.rooms.importing import ImportRefused, import_file
from dagster_project.warehouse import connection

FAULTS = (ImportRefused,)

rooms = typer.Typer(no_args_is_help=True, help="Chat rooms: the database that holds them.")


@rooms.command("import")
def import_events(
    file: Annotated[Path, typer.Argument(help="Events, a JSON object a line.")],
    as_json: JsonOption = False,
) -> None:
    """Bring the history of another system into the schema rooms, with the times at which things happened.

    A file may be imported again: what was brought before changes nothing. docs/rooms.md has the events.
    """
    if not file.is_file():
        raise typer.BadParameter(f"there is no file {file}", param_hint="FILE")
    with environment.running(environment.for_work(Settings.load())) as deployment:
        url = deployment.settings.own_database("rooms", deployment.url)
        if url is None:
            raise SettingsError("ROOMS_DATABASE_URL is missing: a Postgres URL, or the word warehouse")
        own_schemas.upgrade("rooms", url)
        with connection.connect(url) as conn, console.status("importing") as status:
            done = import_file(
                conn, file, datetime.now(UTC), lambda events: status.update(f"importing: {events:,} events")
            )
    print_answer(
        as_json,
        {"events": done.events, "new": done.new},
        lambda: console.print(
            f"{done.events:,} events read: {done.new:,} new, {done.events - done.new:,} known before"
        ),
    )


@rooms.command("sandbox")
def play(
    speed: Annotated[float, typer.Option(min=0.01, help="Seconds of the firm that pass in one of ours.")] = 60,
) -> None:
    """Let the demo's firm go on in its rooms, each step through the functions of the schema. Ctrl-C stops it."""
    settings = environment.for_work(Settings.load())
    with environment.running(settings) as deployment, contextlib.suppress(KeyboardInterrupt):
        url = deployment.settings.own_database("rooms", deployment.url)
        if url != deployment.url:
            raise SettingsError("the sandbox's rooms are in the embedded warehouse: run `b2chat demo` first")
        with console.status("nothing has happened yet") as status:
            for at, player in deployed.play(deployment.settings, url, speed):
                happened = f"{player.played.total():,} events played, {player.refused.total():,} refused"
                status.update(f"{at.astimezone(settings.zone):%A %H:%M} at the firm: {happened}")
