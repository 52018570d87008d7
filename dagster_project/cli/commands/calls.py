"""`b2chat calls …`: the operational database of a call widget."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from dagster_project.cli.command_line import JsonOption, console, print_answer
from dagster_project.cli.commands import people
from dagster_project.deployment import environment, own_schemas
from dagster_project.deployment.own_schemas import Upgraded
from dagster_project.erasure import access_request
from dagster_project.erasure import calls as erasure
from dagster_project.exports.stores.configured import store_of
from dagster_project.orchestration import places
from dagster_project.settings import Settings
from dagster_project.warehouse import connection

WhoArgument = Annotated[
    str,
    typer.Argument(
        help="The id of a visitor, a user or an agent, an e-mail address or a phone number; - reads it from the "
        "standard input."
    ),
]

calls = typer.Typer(no_args_is_help=True, help="Calls of a website's widget: the database that holds them.")


@calls.command()
def upgrade(as_json: JsonOption = False) -> None:
    """Make the schema calls where CALLS_DATABASE_URL says, or bring it up to this version; also its months."""
    with environment.running(environment.for_work(Settings.load())) as deployment:
        url = own_schemas.place_of(deployment.settings, "calls", deployment.url)
        done = own_schemas.bring_up("calls", url)
    print_upgraded("calls", done, as_json)


@calls.command()
def erase(
    who: WhoArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Forget a visitor or an agent: ids, names, addresses and pages, here, in raw, archives and exports.

    What is counted stays. It cannot be taken back. A run that was killed is run again. Tables for BI follow with the
    next build.
    """
    if sys.stdin.isatty() and not yes:
        typer.confirm("The person's ids, names and addresses will be gone for good. Go on?", abort=True)
    settings = environment.for_work(Settings.load())
    with environment.running(settings) as deployment:
        by = people.require_admin(deployment, "erase a person")
        place = places.home_of(deployment.settings, "calls", deployment.url)
        source_url = place if place and erasure.may_write(place) else None
        counts = erasure.erase(deployment.url, source_url, settings, store_of(settings), people.given(who), by)
    if not source_url:
        console.print("the schema calls is not ours to write: erase them there too", soft_wrap=True)
    print_answer(as_json, {"counts": counts}, lambda: people.print_counts(counts, "gone"))


@calls.command()
def person(
    who: WhoArgument,
    out: Annotated[Path, typer.Option("--out", help="The file to write, JSON; it must not be there yet.")],
    as_json: JsonOption = False,
) -> None:
    """Write all that is held of a visitor or an agent into one file, its owner's alone."""
    settings = environment.for_work(Settings.load())
    with environment.running(settings) as deployment:
        by = people.require_admin(deployment, "hand out what is held of a person")
        with connection.connect(deployment.url) as conn:
            found = erasure.find(conn, people.given(who))
            counts = access_request.hand_out(conn, settings, erasure.held(conn, found), found.named[0], out, by)
    print_answer(
        as_json, {"file": str(out), "counts": counts}, lambda: people.print_counts(counts, f"written to {out}")
    )


def print_upgraded(schema: str, done: Upgraded, as_json: bool) -> None:
    """What came of the upgrade of a source's own schema."""
    told = (
        f"{schema} is at revision {done.now} (before: {done.before or 'none'}); {done.partitions_made} partitions made"
    )
    print_answer(as_json, asdict(done), lambda: console.print(told))
