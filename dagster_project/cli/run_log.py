"""Run logs of the command line. What our modules log is part of Dagster's run log (`dagster.yaml`, python_logs); on a
terminal it is shown alone, because Dagster's own events would bury it."""

import contextlib
import logging
import os
import sys
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from dagster_project.cli.harmless import harmless_console
from dagster_project.ingestion.progress import PROGRESS_LOGGER
from dagster_project.ingestion.progress import Progress as SyncProgress
from dagster_project.warehouse.locks import WAITING_LOGGER


@contextlib.contextmanager
def log_on_terminal(*, quiet: bool = False) -> Iterator[None]:
    """While this lasts, what our modules log appears on the error stream, a short line each; a sync as a moving bar.

    Args:
        quiet: only for whom it waits.
    """
    # A copy of the stream: Dagster turns the original to a file while a step runs.
    with os.fdopen(os.dup(sys.stderr.fileno()), "w") as stream:
        console = harmless_console(file=stream, soft_wrap=True)
        if quiet:
            with _listening(WAITING_LOGGER, _LogLines(console)):
                yield
            return
        with (
            _bars(console) as bars,
            _listening("dagster_project", _LogLines(console)),
            _listening(PROGRESS_LOGGER, _Bars(bars)),
        ):
            yield


@contextlib.contextmanager
def _listening(name: str, handler: logging.Handler) -> Iterator[None]:
    logger = logging.getLogger(name)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def _bars(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("windows"),
        TextColumn("{task.fields[records]:,} records, {task.fields[rate]:,.0f} a second"),
        TimeRemainingColumn(),
    )
    return Progress(
        *columns,
        console=console,
        transient=True,
        disable=not console.is_terminal,
        redirect_stdout=False,
        redirect_stderr=False,
    )


class _LogLines(logging.Handler):
    def __init__(self, console: Console) -> None:
        super().__init__(logging.INFO)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        if self._console.is_terminal and getattr(record, "has_bar", False):
            return
        style = {"ERROR": "red", "CRITICAL": "red", "WARNING": "yellow"}.get(record.levelname, "dim")
        self._console.print(record.getMessage(), style=style, markup=False)


class _Bars(logging.Handler):
    """Moves a bar an entity by what is logged to PROGRESS_LOGGER."""

    def __init__(self, bars: Progress) -> None:
        super().__init__(logging.INFO)
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def emit(self, record: logging.LogRecord) -> None:
        entity: str = record.entity  # type: ignore[attr-defined]
        progress: SyncProgress = record.progress  # type: ignore[attr-defined]
        if entity not in self._tasks:
            self._tasks[entity] = self._bars.add_task(entity, records=0, rate=0.0)
        self._bars.update(
            self._tasks[entity],
            total=progress.windows_total,
            completed=progress.windows_total - progress.windows_left,
            records=progress.done_records,
            rate=progress.rate,
        )
