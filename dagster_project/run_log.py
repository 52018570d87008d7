"""Run logs of the command line. What our modules log is part of Dagster's run log (`dagster.yaml`, python_logs); on a
terminal it is shown alone, because Dagster's own events would bury the story."""

import contextlib
import logging
import sys
from collections.abc import Iterator

import dagster as dg
from rich.console import Console


@dg.logger
def silent(_: dg.InitLoggerContext) -> logging.Logger:
    """Nothing on the terminal; the run log in the UI keeps everything."""
    logger = logging.Logger("b2chat.silent")
    logger.addHandler(logging.NullHandler())
    return logger


@contextlib.contextmanager
def told_on_terminal() -> Iterator[None]:
    """While this lasts, what our modules log appears on the terminal's error stream, a short line each."""
    ours = logging.getLogger("dagster_project")
    handler = _Story(logging.INFO)
    ours.addHandler(handler)
    try:
        yield
    finally:
        ours.removeHandler(handler)


class _Story(logging.Handler):
    def __init__(self, level: int) -> None:
        super().__init__(level)
        self._console = Console(file=sys.stderr, highlight=False, soft_wrap=True)

    def emit(self, record: logging.LogRecord) -> None:
        style = "red" if record.levelno >= logging.ERROR else "yellow" if record.levelno >= logging.WARNING else "dim"
        self._console.print(record.getMessage(), style=style, markup=False)
