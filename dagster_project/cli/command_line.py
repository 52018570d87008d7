"""What the commands of `b2chat` share: options, how an answer is printed, and how a command ends."""

import json
import os
import sys
from collections.abc import Callable, Iterable
from datetime import date
from typing import Annotated, Any, NoReturn

import typer

from dagster_project.cli.harmless import harmless_console, visible
from dagster_project.deployment import environment
from dagster_project.orchestration import single_dbt
from dagster_project.orchestration.builds import parsed_project
from dagster_project.settings import Settings

FAILED, MISUSED, PARTIAL = 1, 2, 3  # exit codes

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


def print_answer(as_json: bool, answer: Any, print_text: Callable[[], None]) -> None:
    """Print an answer as one JSON object, or as text."""
    if as_json:
        print_json(answer)
    else:
        print_text()


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


def run_and_print(
    job: str,
    as_json: bool,
    *,
    needs_source: bool,
    starts_with_dbt: bool = False,
    config: dict[str, Any] | None = None,
) -> None:
    """Run a job of ours in this process, print what it did, and exit by how it ended."""
    settings = environment.for_work(Settings.load())
    if starts_with_dbt:
        single_dbt.start_ahead(settings.data_path / "dbt" / parsed_project.FILE)
    if needs_source:
        environment.require_source(settings)
    with environment.running(settings) as deployment:
        from dagster_project.cli import run_job  # noqa: PLC0415  imports Dagster

        outcome = run_job.run(deployment, job, config, quiet=as_json)
        print_answer(as_json, outcome, lambda: run_job.print_outcome(console, outcome))
        exit_by(outcome)


def exit_by(outcome: dict[str, Any]) -> None:
    """End the command with the exit code of an outcome, where that is not a success."""
    code = {"success": 0, "partial": PARTIAL}.get(outcome["status"], FAILED)
    if code:
        raise typer.Exit(code)


def warn(line: str) -> None:
    """Print a line on the error stream."""
    print(f"b2chat: {visible(line)}", file=sys.stderr)  # noqa: T201


def fail(message: str, code: int) -> NoReturn:
    """End the command with a line on the error stream."""
    warn(message)
    sys.exit(code)
