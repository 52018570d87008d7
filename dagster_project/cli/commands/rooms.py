"""`b2chat rooms …`: the operational database of chat rooms."""

import contextlib
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from dagster_project.cli.command_line import JsonOption, console, print_answer
from dagster_project.cli.commands.calls import print_upgraded
from dagster_project.deployment import environment, own_schemas
from dagster_project.deployment import rooms as deployed
from dagster_project.erasure import rooms as erasure
from dagster_project.erasure.person import NoSuchPerson
from dagster_project.exports.stores.configured import store_of
from dagster_project.settings import Settings, SettingsError
from dagster_project.sources.rooms.events import KINDS
from dagster_project.sources.rooms.importing import ImportRefused, import_file
from dagster_project.sources.rooms.passwords import NotRotated, rotate
from dagster_project.sources.rooms.roles import LOGINS
from dagster_project.warehouse import connection
from dagster_project.warehouse.access import users

FAULTS = (ImportRefused, NoSuchPerson, NotRotated)

rooms = typer.Typer(no_args_is_help=True, help="Chat rooms: the database that holds them.")


@rooms.command()
def upgrade(as_json: JsonOption = False) -> None:
    """Make the schema rooms where ROOMS_DATABASE_URL says, or bring it up to this version; also its months."""
    with _where() as url:
        done = own_schemas.bring_up("rooms", url)
    print_upgraded("rooms", done, as_json)


@rooms.command("rotate-password")
def rotate_password(
    role: Annotated[str, typer.Argument(help=f"One of {', '.join(LOGINS)}.")],
    as_json: JsonOption = False,
) -> None:
    """Give a role of the schema a new password, and print it once. Open sessions go on; new ones need it."""
    if role not in LOGINS:
        raise typer.BadParameter(f"{role!r} is not one of {', '.join(LOGINS)}", param_hint="ROLE")
    with _where(doing="change a password of rooms") as url, connection.connect(url, autocommit=True) as conn:
        password = rotate(conn, role)
    print_answer(as_json, {"role": role, "password": password}, lambda: console.print(password, markup=False))


@rooms.command("archived-files")
def archived_files(
    month: Annotated[str | None, typer.Argument(help="The month of their messages, YYYY-MM; default: all.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the file manager's ids of attachments whose month is in the archive, and did not come back."""
    with _where() as url, connection.connect(url) as conn:
        rows = conn.execute(
            "select file_manager_file_id::text, to_char(message_created_at at time zone 'UTC', 'YYYY-MM') as month "
            "from rooms.archived_files as gone where not exists (select from rooms.chat_file_attachments as back "
            "where back.id = gone.attachment_id and back.message_created_at = gone.message_created_at) "
            "order by message_created_at, attachment_id"
        ).fetchall()
    files = [file for file, of in rows if month in (None, of)]
    print_answer(as_json, {"files": files}, lambda: console.print("\n".join(files), markup=False, soft_wrap=True))


@rooms.command()
def erase(
    user: Annotated[str, typer.Argument(help="The id in rooms.users; - reads it from the standard input.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Forget a user of rooms: words, names and files' names, here, in raw and in archives. What is counted stays.

    It cannot be taken back. A run that was killed is run again. The tables for BI follow with the next build.
    """
    if sys.stdin.isatty() and not yes:
        typer.confirm("The user's words and names will be gone for good. Go on?", abort=True)
    user = sys.stdin.readline().strip() if user == "-" else user
    settings = environment.for_work(Settings.load())
    with environment.running(settings) as deployment:
        url = own_schemas.place_of(deployment.settings, "rooms", deployment.url)
        with connection.connect(deployment.url) as conn:
            users.require(conn, who := users.account(), "erase a person", role="Admin")
        counts = erasure.erase(deployment.url, url, settings, store_of(settings), user, who)
    print_answer(
        as_json,
        {"counts": counts},
        lambda: console.print("\n".join(f"{count:>8,}  {place}" for place, count in sorted(counts.items()))),
    )


@contextlib.contextmanager
def _where(doing: str | None = None) -> Iterator[str]:
    """The URL of the Postgres that has the schema, or is to have it."""
    with environment.running(environment.for_work(Settings.load())) as deployment:
        url = own_schemas.place_of(deployment.settings, "rooms", deployment.url)
        if doing:
            with connection.connect(deployment.url) as conn:
                users.require(conn, users.account(), doing, role="Admin")
        yield url


@rooms.command("import")
def import_events(
    file: Annotated[Path, typer.Argument(help="Events, a JSON object a line.")],
    as_json: JsonOption = False,
) -> None:
    """Bring the history of another system into the schema rooms, with the times at which things happened.

    A file may be imported again: what was brought before changes nothing. `b2chat rooms events` lists what lines say.
    """
    if not file.is_file():
        raise typer.BadParameter(f"there is no file {file}", param_hint="FILE")
    with _where() as url:
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


@rooms.command("events")
def list_events(as_json: JsonOption = False) -> None:
    """List the events that an import knows, each with the fields that it must and may have beside event, at and by."""
    known = {name: {"must": list(kind.required), "may": list(kind.optional)} for name, kind in KINDS.items()}
    table = Table("event", "must have", "may have", box=None, padding=(0, 2))
    for name, fields in known.items():
        table.add_row(name, ", ".join(fields["must"]), ", ".join(fields["may"]))
    print_answer(as_json, {"events": known}, lambda: console.print(table))


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
