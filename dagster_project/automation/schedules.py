"""The schedule that keeps the marts fresh."""

import dagster as dg

from dagster_project.automation.jobs import refresh_all, verify_all
from dagster_project.settings import Settings

_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def refresh_schedule(settings: Settings) -> dg.ScheduleDefinition:
    """Runs the main job every SYNC_INTERVAL minutes; a tick that finds the last run at work is skipped."""

    @dg.schedule(
        name="refresh_all_schedule",
        job=refresh_all,
        cron_schedule=cron(settings.sync_interval),
        execution_timezone=settings.timezone,
        description=f"Every {settings.sync_interval} minutes (SYNC_INTERVAL).",
    )
    def refresh_all_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        at_work = context.instance.get_runs(dg.RunsFilter(job_name=refresh_all.name, statuses=_UNFINISHED), limit=1)
        if at_work:
            return dg.SkipReason(f"run {at_work[0].run_id} is still at work")
        return dg.RunRequest()

    return refresh_all_schedule


def verify_schedule(settings: Settings) -> dg.ScheduleDefinition:
    """Tests every row once a night; the refreshes test what they bring."""
    return dg.ScheduleDefinition(
        name="verify_all_schedule",
        job=verify_all,
        cron_schedule="30 3 * * *",
        execution_timezone=settings.timezone,
        description="Every night at 03:30.",
    )


def cron(minutes: int) -> str:
    """A cron line for an interval that divides the hour or, in whole hours, the day."""
    if minutes < 60:
        return f"*/{minutes} * * * *"
    return f"0 */{minutes // 60} * * *" if minutes < 1440 else "0 0 * * *"
