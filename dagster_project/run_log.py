"""Run logs of the command line: the story that assets tell, without Dagster's own events."""

import logging
import sys

import dagster as dg
from rich.console import Console


@dg.logger
def terminal(_: dg.InitLoggerContext) -> logging.Logger:
    """What assets say, a short line each, on the terminal's error stream."""
    return _logger("b2chat.terminal", _Story(logging.INFO))


@dg.logger
def silent(_: dg.InitLoggerContext) -> logging.Logger:
    """Nothing on the terminal; the run log in the UI keeps everything."""
    return _logger("b2chat.silent", logging.NullHandler())


class _Story(logging.Handler):
    """Prints a record's own message; Dagster's prefix of run and step would fill the line."""

    def emit(self, record: logging.LogRecord) -> None:
        meta = getattr(record, "dagster_meta", {})
        if meta.get("dagster_event") is not None and record.levelno < logging.ERROR:
            return
        message = str(meta.get("orig_message") or record.getMessage()).splitlines()[0]
        colour = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}.get(record.levelname, "dim")
        console = Console(file=sys.stderr, highlight=False, soft_wrap=True)
        console.print(f"[{colour}]{meta.get('step_key') or ''}[/{colour}] ", end="")
        console.print(message, markup=False)


def _logger(name: str, handler: logging.Handler) -> logging.Logger:
    logger = logging.Logger(name, logging.DEBUG)
    logger.addHandler(handler)
    return logger
