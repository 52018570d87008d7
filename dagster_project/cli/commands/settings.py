"""`b2chat settings …`: what may be changed at run time, without a restart."""

from dataclasses import asdict
from typing import Annotated

import typer

from dagster_project.cli.command_line import JsonOption, console, print_answer
from dagster_project.deployment import environment
from dagster_project.settings import Settings
from dagster_project.warehouse import connection, system_settings
from dagster_project.warehouse.access import audit_log, users

settings = typer.Typer(no_args_is_help=True, help="Settings that are changed at run time: list, set, unset.")

Name = Annotated[str, typer.Argument(help="Its name, as `b2chat settings list` shows it.")]


@settings.command("list")
def list_settings(as_json: JsonOption = False) -> None:
    """Show what may be changed at run time, what counts now, and what the environment says."""
    given = Settings.load()
    with environment.running(given) as deployment, connection.connect(deployment.url) as conn:
        found = system_settings.listed(conn, given)
    print_answer(as_json, {"settings": [asdict(one) for one in found]}, lambda: _print(found))


@settings.command("set")
def set_value(
    name: Name,
    value: Annotated[str, typer.Argument(help="The value, as the environment would have it.")],
    as_json: JsonOption = False,
) -> None:
    """Let a value count from now on, over the environment's. Secrets are refused."""
    who = users.account()
    with environment.running(Settings.load()) as deployment, connection.connect(deployment.url) as conn:
        users.require(conn, who, "change a setting")
        audit_log.acting(conn, who)
        key = system_settings.change(conn, name, value)
    print_answer(as_json, {"key": key, "value": value}, lambda: console.print(f"{key} is {value}", markup=False))


@settings.command()
def unset(name: Name, as_json: JsonOption = False) -> None:
    """Let the environment's value count again."""
    who = users.account()
    with environment.running(Settings.load()) as deployment, connection.connect(deployment.url) as conn:
        users.require(conn, who, "change a setting")
        audit_log.acting(conn, who)
        was_changed = system_settings.reset(conn, name)
    text = "the environment's value counts again" if was_changed else "it was not changed"
    print_answer(as_json, {"was_changed": was_changed}, lambda: console.print(text))


def _print(found: list[system_settings.Changeable]) -> None:
    for one in found:
        note = f"  (changed; the environment says {one.environment})" if one.is_changed and not one.fault else ""
        note = f"  (the changed value does not count: {one.fault})" if one.fault else note
        console.print(f"{one.key}={'' if one.value is None else one.value}{note}", markup=False, soft_wrap=True)
        console.print(f"    {one.description}", markup=False, soft_wrap=True)
