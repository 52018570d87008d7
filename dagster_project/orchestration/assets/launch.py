"""How a run was launched: who started it, who answers for it, and the days that stand in its config.

In a config, text that is left empty means the default: a launchpad shows such a field, one of None it would hide.
"""

from datetime import date

import dagster as dg
from dagster._core.storage.tags import SCHEDULE_NAME_TAG
from pydantic import Field

from dagster_project.warehouse.access import audit_log, users
from dagster_project.warehouse.connection import connect

# Of runs that a command executes in this process: the command has asked who it is. No tag says that, for whoever starts
# a run in the UI chooses its tags.
of_a_command: set[str] = set()


class ByAdmin(dg.Config):
    """Who answers for a run that deletes, copies or restores."""

    admin: str = Field(
        "",
        description="Who starts it by hand: e-mail address or id of an Admin of `b2chat users list`. Schedules need "
        "nobody, nor does a warehouse that has no Admin yet.",
    )


def require_admin(url: str, run: dg.DagsterRun, config: ByAdmin, doing: str) -> str:
    """Who answers for a run: the account of a command, Dagster of a schedule's, the Admin who is named of another.

    Raises:
        dagster.Failure: nobody may; it is in the audit log.
    """
    try:
        with connect(url, autocommit=True) as conn:
            if run.run_id in of_a_command or SCHEDULE_NAME_TAG in run.tags:
                users.require(conn, starter(run), doing, role="Admin")
                return starter(run)
            admin = users.require_admin(conn, config.admin, doing) or starter(run)
            audit_log.record(
                conn, "job.start", resource="job", resource_id=run.job_name, user=admin, correlation_id=run.run_id
            )
            return admin
    except users.NotAllowed as refusal:
        raise dg.Failure(str(refusal), allow_retries=False) from None


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
