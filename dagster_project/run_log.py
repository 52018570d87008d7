"""Run logs of the command line. What our modules log is part of Dagster's run log (`dagster.yaml`, python_logs); on a
terminal it is shown alone, because Dagster's own events would bury the story."""

import contextlib
import logging
import sys
from collections.abc import Iterator

import dagster as dg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from dagster_project.ingestion.progress import Progress as SyncProgress


@dg.logger
def silent(_: dg.InitLoggerContext) -> logging.Logger:
    """Nothing on the terminal; the run log in the UI keeps everything."""
    logger = logging.Logger("b2chat.silent")
    logger.addHandler(logging.NullHandler())
    return logger


@contextlib.contextmanager
def told_on_terminal() -> Iterator[None]:
    """While this lasts, what our modules log appears on the error stream, a short line each; a sync as a moving bar."""
    ours, handler = logging.getLogger("dagster_project"), _Story()
    before = ours.level
    ours.addHandler(handler)
    ours.setLevel(logging.DEBUG)
    try:
        with handler.bars:
            yield
    finally:
        ours.removeHandler(handler)
        ours.setLevel(before)


class _Story(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._console = Console(file=sys.stderr, highlight=False, soft_wrap=True)
        columns = (
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("windows"),
            TextColumn("{task.fields[records]:,} records, {task.fields[rate]:,.0f} a second"), TimeRemainingColumn(),
        )  # fmt: skip
        self.bars = Progress(*columns, console=self._console, transient=True, disable=not self._console.is_terminal)
        self._tasks: dict[str, TaskID] = {}

    def emit(self, record: logging.LogRecord) -> None:
        step: tuple[str, SyncProgress] | None = getattr(record, "progress", None)
        if step and self._console.is_terminal:
            self._move(*step)
        elif record.levelno >= logging.INFO:
            style = {"ERROR": "red", "CRITICAL": "red", "WARNING": "yellow"}.get(record.levelname, "dim")
            self._console.print(record.getMessage(), style=style, markup=False)

    def _move(self, entity: str, progress: SyncProgress) -> None:
        if entity not in self._tasks:
            self._tasks[entity] = self.bars.add_task(entity, records=0, rate=0.0)
        self.bars.update(
            self._tasks[entity], total=progress.windows_total, completed=progress.windows_total - progress.windows_left,
            records=progress.done_records, rate=progress.rate)  # fmt: skip
