"""`b2chat erase` and `b2chat person`: the rights of a customer."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from dagster_project.cli.command_line import FAILED, JsonOption, console, print_answer
from dagster_project.deployment import environment
from dagster_project.deployment.environment import Deployment
from dagster_project.erasure import access_request, requests, run
from dagster_project.erasure.person import NoSuchPerson, contact_by_phone, find
from dagster_project.exports.stores.configured import store_of
from dagster_project.settings import Settings
from dagster_project.warehouse import connection
from dagster_project.warehouse.access import users

FAULTS = (NoSuchPerson, access_request.FileIsThere)

ContactOption = Annotated[
    str | None, typer.Option("--contact", help="B2Chat's id of the contact; - reads it from the standard input.")
]
PhoneOption = Annotated[
    str | None, typer.Option("--phone", help="A phone number of the contact's, however written; - reads it as well.")
]


def erase(
    contact: ContactOption = None,
    phone: PhoneOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go, and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Forget a person: all that is kept of its words, names and numbers. What is counted stays as it was.

    It cannot be taken back. The person does not come back with the next sync. A run that was killed is resumed by the
    next one, or by the job erase_people.
    """
    settings = environment.for_work(Settings.load())
    with environment.running(settings) as deployment:
        who = require_admin(deployment, "erase a person")
        contact_id = _contact(deployment, contact, phone)
        if dry_run:
            counts = run.dry_run(deployment.url, settings, store_of(settings), contact_id, who)
            print_answer(as_json, {"dry_run": True, "counts": dict(counts)}, lambda: print_counts(counts, "would go"))
            return
        if sys.stdin.isatty() and not yes:
            typer.confirm("The person's words, names and numbers will be gone for good. Go on?", abort=True)
        with connection.connect(deployment.url) as conn:
            if not requests.is_open(conn, contact_id):
                find(conn, contact_id)
            request = requests.ask(conn, contact_id, who)
        from dagster_project.cli import run_job  # noqa: PLC0415  imports Dagster

        outcome = run_job.run(deployment, "erase_people", quiet=as_json)
        with connection.connect(deployment.url) as conn:
            request = requests.of_id(conn, request.id)
        is_done = request.state == "done"
        answer = {"request": request.id, "state": request.state, "counts": request.counts, "errors": outcome["errors"]}
        print_answer(as_json, answer, lambda: print_counts(request.counts, "gone"))
        if not is_done:
            for error in outcome["errors"] if not as_json else ():
                console.print(f"failed: {error}", soft_wrap=True, markup=False)
            raise typer.Exit(FAILED)


def person(
    out: Annotated[Path, typer.Option("--out", help="The file to write, JSON; it must not be there yet.")],
    contact: ContactOption = None,
    phone: PhoneOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write all that is held of a person into one file, its owner's alone: what a request for access asks for."""
    settings = environment.for_work(Settings.load())
    with environment.running(settings) as deployment:
        who = require_admin(deployment, "hand out what is held of a person")
        contact_id = _contact(deployment, contact, phone)
        with connection.connect(deployment.url) as conn:
            counts = access_request.write(conn, settings, find(conn, contact_id), out, who)
    print_answer(as_json, {"file": str(out), "counts": counts}, lambda: print_counts(counts, f"written to {out}"))


def require_admin(deployment: Deployment, doing: str) -> str:
    """Whose account this is. Raises NotAllowed where a user may not do it: it takes an Admin."""
    with connection.connect(deployment.url) as conn:
        users.require(conn, who := users.account(), doing, role="Admin")
    return who


def _contact(deployment: Deployment, contact: str | None, phone: str | None) -> str:
    if (contact is None) == (phone is None):
        raise typer.BadParameter("give --contact or --phone, one of the two")
    if contact is not None:
        return given(contact)
    with connection.connect(deployment.url) as conn:
        return contact_by_phone(conn, given(phone or ""))


def given(who: str) -> str:
    """Whom a command is about; of the standard input, so that no list of processes shows them."""
    return sys.stdin.readline().strip() if who == "-" else who


def print_counts(counts: Mapping[str, int], what: str) -> None:
    """By place, how many rows or files."""
    for place, count in sorted(counts.items()):
        console.print(f"{count:>8,}  {place}", markup=False)
    console.print(f"{sum(counts.values()):>8,}  {what}", markup=False)
