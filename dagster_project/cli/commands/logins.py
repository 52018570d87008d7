"""`b2chat users login` and `b2chat users logins`: who may log in to the warehouse, as what, and until when."""

import sys
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Annotated

import typer

from dagster_project.cli.command_line import JsonOption, choice, console, day, print_answer
from dagster_project.deployment import environment
from dagster_project.settings import Settings
from dagster_project.warehouse import connection, conninfo
from dagster_project.warehouse.access import logins, users

FAULTS = (logins.LoginRefused,)


def login(
    name: Annotated[str, typer.Argument(help="The login's name: small letters, digits, '.', '_', '-'.")],
    purpose: Annotated[str | None, choice(logins.PURPOSES, "--as", help="What it is for (docs/access.md).")] = None,
    user: Annotated[
        str | None,
        typer.Option(help="Whose it is: id or address of `b2chat users list`. Default: the user of the login's name."),
    ] = None,
    agent: Annotated[
        list[str] | None, typer.Option("--agent", help="Id of an agent whose chats it sees in marts_pii; repeatable.")
    ] = None,
    department: Annotated[
        list[str] | None,
        typer.Option("--department", help="Id of a department whose chats it sees; repeatable."),
    ] = None,
    password_file: Annotated[
        Path | None, typer.Option(help="File that holds its password; - reads a line of stdin. Default: one is made.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="Days until its password ends.")] = logins.DAYS,
    until: Annotated[str | None, typer.Option(help="Last day of its password, in place of --days.")] = None,
    sessions: Annotated[int, typer.Option(min=1, max=50, help="Sessions that it may have at once.")] = logins.SESSIONS,
    disable: Annotated[bool, typer.Option("--disable", help="Let it in no more, and end its sessions.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a login of Postgres for a person or program, or give one a new password, end and scope; or disable it.

    Prints its address, with the password where one was made. Nothing of a password is ever an argument.
    """
    if disable == bool(purpose):
        raise typer.BadParameter("give either --as or --disable")
    end = datetime.combine(day(until, "--until"), time.max, UTC) if until else datetime.now(UTC) + timedelta(days=days)
    given = _password(password_file) if password_file else None
    with (
        environment.running(Settings.load()) as deployment,
        connection.connect(deployment.url, autocommit=True) as conn,
    ):
        users.require(conn, who := users.account(), "make or change a login", role="Admin")
        if disable or not purpose:
            logins.disable(conn, name, by=who)
            text, answer = f"{name} may log in no more", {"login": name, "disabled": True}
        else:
            password = logins.make(
                conn,
                name,
                purpose,
                made_by=who,
                user=user,
                agents=agent or (),
                departments=department or (),
                password=given,
                valid_until=end,
                sessions=sessions,
            )
            address = conninfo.for_role(deployment.url, name, password)
            text = connection.without_password(address) if given else address
            answer = {"login": name, "as": purpose, "url": text, "valid_until": end}
    print_answer(as_json, answer, lambda: print(text))  # noqa: T201


def list_logins(as_json: JsonOption = False) -> None:
    """List the logins: what each is for, until when, and whose chats it sees."""
    with environment.running(Settings.load()) as deployment, connection.connect(deployment.url) as conn:
        found = logins.listed(conn)
    print_answer(as_json, {"logins": [asdict(one) for one in found]}, lambda: _print(found))


def _print(found: Iterable[logins.Login]) -> None:
    for one in found:
        state = f"until {one.valid_until:%Y-%m-%d}" if one.valid_until > datetime.now(UTC) else "expired"
        if one.disabled_at:
            state = f"disabled since {one.disabled_at:%Y-%m-%d}"
        if not one.is_there:
            state = "gone from the server"
        sees = [*(f"agent {name}" for name in one.agents), *(f"department {name}" for name in one.departments)]
        of = f"of {one.user}" if one.user != one.name else ""
        parts = [one.name, of, f"as {one.purpose}", state, f"sees {', '.join(sees)}" if sees else ""]
        console.print("  ".join(part for part in parts if part), markup=False, soft_wrap=True)


def _password(file: Path) -> str:
    """The first line of a file, or of stdin."""
    try:
        text = sys.stdin.readline() if str(file) == "-" else file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"cannot be read: {type(error).__name__}", param_hint="--password-file") from None
    return text.splitlines()[0] if text.strip() else ""
