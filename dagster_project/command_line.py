"""What the commands of `b2chat` share: how an answer is printed, and how a day is read."""

import json
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

import typer
from rich.console import Console

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
console = Console(highlight=False)


def print_answer(as_json: bool, answer: Any, tell: Callable[[], None]) -> None:
    """Print an answer as one JSON object, or have it told in text."""
    if as_json:
        print_json(answer)
    else:
        tell()


def print_json(answer: Any) -> None:
    """Print an answer as one JSON object."""
    print(json.dumps(answer, default=str, ensure_ascii=False))  # noqa: T201


def day(text: str | None, option: str, wanted: str = "a day such as 2026-01-05") -> date:
    """The day that an option names.

    Raises:
        typer.BadParameter: it names none.
    """
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not {wanted}", param_hint=option) from None
