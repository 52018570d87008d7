"""`b2chat users …`: who there is, who may do what, and who no longer may."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

import psycopg
import typer

from dagster_project.cli.command_line import JsonOption, console, print_answer
from dagster_project.deployment import environment
from dagster_project.settings import Settings
from dagster_project.warehouse import connection
from dagster_project.warehouse.access import audit_log
from dagster_project.warehouse.access import users as people

users = typer.Typer(no_args_is_help=True, help="Users: list, add, change the role of, disable; what they did.")
FAULTS = (people.WrongUser, people.NotAllowed)  # one line each

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
