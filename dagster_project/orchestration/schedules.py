"""The schedules that keep the data fresh, tested and no larger than it need be."""

from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Any

import dagster as dg
from dagster._core.storage.tags import SCHEDULE_NAME_TAG, SCHEDULED_EXECUTION_TIME_TAG

from dagster_project.orchestration.assets.backup import back_up_changes_job
from dagster_project.orchestration.assets.exports import clean_up_exports_job
from dagster_project.orchestration.assets.maintenance import (
    archive_months_job,
    clean_up_invites_job,
    enforce_retention_job,
    index_rooms_job,
    keep_partitions_job,
)
from dagster_project.orchestration.jobs import (
    audit_database,
    back_up_warehouse,
    drill_restore,
    publish_dashboard,
    refresh_all,
    sweep_recent,
    sync_contacts,
    verify_all,
    weekly_report,
)
from dagster_project.settings import Settings

_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_MADE = [status for status in dg.DagsterRunStatus if status != dg.DagsterRunStatus.NOT_STARTED]


def refresh_schedule(settings: Settings) -> dg.ScheduleDefinition:
    """Runs the main job every SYNC_INTERVAL minutes; a tick that finds the last run at work is skipped."""

    def request(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        at_work = context.instance.get_runs(dg.RunsFilter(job_name=refresh_all.name, statuses=_UNFINISHED), limit=1)
        if at_work:
            return dg.SkipReason(f"run {at_work[0].run_id} is still at work")
        return dg.RunRequest()

    when = f"Every {settings.sync_interval} minutes (SYNC_INTERVAL)"
    return _schedule(settings, refresh_all, cron(settings.sync_interval), when, request)


def daily_and_weekly(settings: Settings) -> list[dg.ScheduleDefinition]:
    """By night months made ahead, the backup, the sweep, the full test; on Sunday contacts and a drill; each morning
    old logs are dropped."""
    rounds: list[tuple[Any, str, str]] = [
        (keep_partitions_job, "0 1 * * *", "Every night at 01:00"),
        (clean_up_exports_job, "30 1 * * *", "Every night at 01:30"),
        (index_rooms_job, "*/10 * * * *", "Every ten minutes"),
        (clean_up_invites_job, "40 1 * * *", "Every night at 01:40"),
        (back_up_warehouse, "0 2 * * *", "Every night at 02:00"),
        (sweep_recent, "30 2 * * *", "Every night at 02:30"),
        (verify_all, "30 3 * * *", "Every night at 03:30"),
        (sync_contacts, "0 4 * * 0", "Every Sunday at 04:00"),
        (audit_database, "30 4 * * *", "Every night at 04:30"),
        (enforce_retention_job, "0 5 * * *", "Every morning at 05:00"),
        (archive_months_job, "30 5 * * *", "Every morning at 05:30"),
        (back_up_changes_job, "45 */6 * * *", "Every six hours"),
        (drill_restore, "0 6 * * 0", "Every Sunday at 06:00"),
        (publish_dashboard, "30 6 * * *", "Every morning at 06:30"),
    ]
    return [_schedule(settings, job, line, when) for job, line, when in rounds]


def weekly_report_schedule(settings: Settings) -> dg.ScheduleDefinition:
    """Writes the report of the week that ended, every Monday morning; one a week, however often the tick comes."""

    def request(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        today = context.scheduled_execution_time.astimezone(settings.zone).date()
        week = (today - timedelta(days=today.weekday() + 7)).isoformat()
        return dg.RunRequest(run_key=week, run_config={"ops": {"exports__report": {"config": {"week": week}}}})

    return _schedule(settings, weekly_report, "0 7 * * 1", "Every Monday at 07:00, of the week before", request)


def _schedule(
    settings: Settings,
    job: Any,
    line: str,
    when: str,
    request: Callable[[dg.ScheduleEvaluationContext], dg.RunRequest | dg.SkipReason] = lambda _: dg.RunRequest(),
) -> dg.ScheduleDefinition:
    """A schedule in the account's time zone, off until somebody switches it on, that starts one run a tick.

    The project under two names (two code locations) has each schedule twice: whichever comes second is skipped. A run
    that was made and not started is none: Dagster takes it up again where its daemon was killed in between.
    """
    name = f"{job.name}_schedule"

    @dg.schedule(
        name=name,
        job=job,
        cron_schedule=line,
        execution_timezone=settings.timezone,
        description=f"{when}: {job.description}",
    )
    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        at = context.scheduled_execution_time.astimezone(UTC).isoformat()
        same = dg.RunsFilter(tags={SCHEDULE_NAME_TAG: name, SCHEDULED_EXECUTION_TIME_TAG: at}, statuses=_MADE)
        if found := context.instance.get_runs(same, limit=1):
            return dg.SkipReason(f"run {found[0].run_id} is this tick's: are there two code locations?")
        return request(context)

    return tick


def cron(minutes: int) -> str:
    """A cron line for an interval that divides the hour or, in whole hours, the day."""
    if minutes < 60:
        return f"*/{minutes} * * * *"
    return f"0 */{minutes // 60} * * *" if minutes < 1440 else "0 0 * * *"
