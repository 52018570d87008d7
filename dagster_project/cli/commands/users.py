"""`b2chat users …`: who there is, who may do what, who logs in to the warehouse as what, and until when."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer

from dagster_project.cli.command_line import JsonOption, choice, console, day, print_answer
from dagster_project.deployment import environment
from dagster_project.settings import Settings
from dagster_project.warehouse import connection, conninfo
from dagster_project.warehouse.access import audit_log, logins
from dagster_project.warehouse.access import users as people

users = typer.Typer(no_args_is_help=True, help="Users: list, add, change the role of, disable; what they did.")
FAULTS = (people.WrongUser, people.NotAllowed)  # one line each
MISUSES = (logins.LoginRefused,)  # likewise

Who = Annotated[str, typer.Argument(help="Id or e-mail address, as `b2chat users list` shows it.")]


class RoleName(StrEnum):
    """A role as it is typed."""

    MANAGER = "manager"
    ADMIN = "admin"


_ROLES: dict[RoleName, people.Role] = {RoleName.MANAGER: "Manager", RoleName.ADMIN: "Admin"}


@users.command("list")
def list_users(as_json: JsonOption = False) -> None:
    """Show the users: people, and the services that start something."""
    with environment.running(Settings.load()) as deployment, connection.connect(deployment.url) as conn:
        found = people.listed(conn)
    print_answer(as_json, {"users": [asdict(user) for user in found]}, lambda: _print(found))


@users.command()
def add(
    email: Annotated[str, typer.Argument(help="The user's e-mail address.")],
    role: Annotated[RoleName, typer.Option(help="manager reads and asks for exports; admin does all.")],
    name: Annotated[str | None, typer.Option(help="The name that people know the user by.")] = None,
    user_id: Annotated[
        str | None, typer.Option("--id", help="What logs name the user by. Default: what stands before the @.")
    ] = None,
    service: Annotated[bool, typer.Option("--service", help="It is a program.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Introduce a user. What they started before, by the same account or address, stays theirs."""
    with _changing("add a user") as conn:
        user = people.add(
            conn, email, _ROLES[role], name=name, user_id=user_id, kind="service" if service else "person"
        )
    print_answer(as_json, asdict(user), lambda: _print([user]))


@users.command()
def role(
    who: Who,
    to: Annotated[RoleName, typer.Argument(help="The new role.")],
    as_json: JsonOption = False,
) -> None:
    """Give a user another role."""
    with _changing("change a role") as conn:
        user = people.change(conn, who, role=_ROLES[to])
    print_answer(as_json, asdict(user), lambda: _print([user]))


@users.command()
def disable(
    who: Who,
    undo: Annotated[bool, typer.Option("--undo", help="Let the user start something again.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Let a user start nothing any more. What the user did stays in the logs."""
    with _changing("disable a user") as conn:
        user = people.change(conn, who, disabled=not undo)
    print_answer(as_json, asdict(user), lambda: _print([user]))


@users.command()
def log(
    who: Annotated[str | None, typer.Argument(help="Only this user's: id or e-mail address.")] = None,
    event: Annotated[str | None, typer.Option(help="Only this kind of event, or how it begins: sync.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many of the newest.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Show the newest events of the audit log: who did what, and whether they could."""
    with environment.running(Settings.load()) as deployment, connection.connect(deployment.url) as conn:
        found = audit_log.newest(conn, user=who, event_type=event, limit=limit)
    print_answer(as_json, {"events": found}, lambda: _print_events(found))


@users.command()
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
        people.require(conn, who := people.account(), "make or change a login", role="Admin")
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


@users.command("logins")
def list_logins(as_json: JsonOption = False) -> None:
    """List the logins: what each is for, until when, and whose chats it sees."""
    with environment.running(Settings.load()) as deployment, connection.connect(deployment.url) as conn:
        found = logins.listed(conn)
    print_answer(as_json, {"logins": [asdict(one) for one in found]}, lambda: _print_logins(found))


@contextmanager
def _changing(doing: str) -> Iterator[psycopg.Connection]:
    """A connection for somebody who may change users; what triggers record is theirs."""
    who = people.account()
    with (
        environment.running(Settings.load()) as deployment,
        connection.connect(deployment.url, autocommit=True) as conn,
    ):
        people.require(conn, who, doing, role="Admin")
        audit_log.acting(conn, who)
        yield conn


def _print_events(found: list[dict[str, Any]]) -> None:
    if not found:
        console.print("no such event")
    for one in found:
        outcome = "" if one["success"] else f"not done: {one['error_message'] or 'see its details'}"
        parts = [
            f"{one['timestamp']:%Y-%m-%d %H:%M:%S}",
            one["severity"],
            one["event_type"],
            one["user_id"],
            one["resource"],
            outcome,
        ]
        console.print("  ".join(part for part in parts if part), markup=False, soft_wrap=True)


def _print(found: list[people.User]) -> None:
    for user in found:
        state = f"disabled since {user.disabled_at:%Y-%m-%d %H:%M} UTC" if user.disabled_at else "active"
        parts: list[Any] = [user.id, user.email, user.name or "", user.role, user.kind, state]
        console.print("  ".join(part for part in parts if part), markup=False, soft_wrap=True)


def _print_logins(found: Iterable[logins.Login]) -> None:
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
