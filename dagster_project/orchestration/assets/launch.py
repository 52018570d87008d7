"""How a run was launched: who started it, and the days that stand in its config.

In a config, text that is left empty means the default: a launchpad shows such a field, one of None it would hide.
"""

from datetime import date

import dagster as dg


def starter(run: dg.DagsterRun) -> str:
    """Who started a run: the account of a command line, or Dagster."""
    return run.tags.get("b2chat/started_by", "dagster")


def config_day(text: str, field: str) -> date | None:
    """The day that a field of a run's config names; None where it is left empty.

    Raises:
        dagster.Failure: it is no day; one line that names the field.
    """
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise dg.Failure(f"{field}: {text!r} is not a day such as 2026-01-05", allow_retries=False) from None
