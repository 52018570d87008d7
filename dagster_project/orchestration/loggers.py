"""Loggers that a run can be given beside Dagster's own."""

import logging

import dagster as dg


@dg.logger
def silent(_: dg.InitLoggerContext) -> logging.Logger:
    """Nothing on the terminal; the run log in the UI keeps everything."""
    logger = logging.Logger("b2chat.silent")
    logger.addHandler(logging.NullHandler())
    return logger
