"""What the commands of `b2chat` share: how an answer is printed, and how a day is read."""

import json
import os
import sys
from collections.abc import Callable, Iterable
from datetime import date
from typing import Annotated, Any

import typer

from dagster_project.cli.harmless import harmless_console

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
# A pipe has no width, and what reads it wraps or cuts by itself; a terminal tells its own.
console = harmless_console(width=None if sys.stdout.isatty() or os.environ.get("COLUMNS") else 1000)


def choice(values: Iterable[str], *names: str, help: str) -> Any:
    """An option of `typer` that takes one of some values; the list of them may be known only when the program runs."""
    known = list(values)

    def one_of(text: str) -> str:
        if text not in known:
            raise typer.BadParameter(f"{text!r} is not one of {', '.join(map(repr, known))}")
        return text

    return typer.Option(*names, parser=one_of, metavar=f"[{'|'.join(known)}]", help=help)


def print_answer(as_json: bool, answer: Any, tell: Callable[[], None]) -> None:
    """Print an answer as one JSON object, or have it told in text."""
    if as_json:
        print_json(answer)
    else:
        tell()


def print_json(answer: Any) -> None:
    """Print an answer as one JSON object."""
    print(json.dumps(answer, default=str, ensure_ascii=False))  # noqa: T201


def day(text: str | None, option: str) -> date:
    """The day that an option names.

    Raises:
        typer.BadParameter: it names none.
    """
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a day such as 2026-01-05", param_hint=option) from None


def in_order(first: date | None, last: date | None) -> None:
    """That the first day is not after the last.

    Raises:
        typer.BadParameter: it is.
    """
    if first and last and first > last:
        raise typer.BadParameter(f"{first} is after {last}", param_hint="--from/--to")
