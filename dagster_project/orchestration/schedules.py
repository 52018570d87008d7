"""The schedules that keep the data fresh, tested and no larger than it need be."""

from datetime import timedelta
from typing import Any

import dagster as dg

from dagster_project.orchestration.assets.exports import clean_up_exports_job
from dagster_project.orchestration.assets.maintenance import (
    archive_months_job,
    enforce_retention_job,
    keep_partitions_job,
)
from dagster_project.orchestration.jobs import (
    audit_database,
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


def daily_and_weekly(settings: Settings) -> list[dg.ScheduleDefinition]:
    """By night months made ahead, the sweep, the full test; contacts on Sunday; each morning old logs are dropped."""
    rounds: list[tuple[str, Any, str, str]] = [
        ("sweep_recent_schedule", sweep_recent, "0 2 * * *", "Every night at 02:00."),
        ("verify_all_schedule", verify_all, "30 3 * * *", "Every night at 03:30."),
        ("audit_database_schedule", audit_database, "30 4 * * *", "Every night at 04:30."),
        ("sync_contacts_schedule", sync_contacts, "0 4 * * 0", "Every Sunday at 04:00."),
        ("clean_up_exports_schedule", clean_up_exports_job, "0 2 * * *", "Every night at 02:00."),
        ("keep_partitions_schedule", keep_partitions_job, "0 1 * * *", "Every night at 01:00."),
        ("archive_months_schedule", archive_months_job, "30 4 * * *", "Every night at 04:30."),
        ("enforce_retention_schedule", enforce_retention_job, "0 5 * * *", "Every morning at 05:00."),
    ]
    return [
        dg.ScheduleDefinition(
            name=name, job=job, cron_schedule=line, execution_timezone=settings.timezone, description=description
        )
        for name, job, line, description in rounds
    ]


def weekly_report_schedule(settings: Settings) -> dg.ScheduleDefinition:
    """Writes the report of the week that ended, every Monday morning; one a week, however often the tick comes."""

    @dg.schedule(
        name="weekly_report_schedule",
        job=weekly_report,
        cron_schedule="0 7 * * 1",
        execution_timezone=settings.timezone,
        description="Every Monday at 07:00: the report of the week before.",
    )
    def weekly_report_tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        today = context.scheduled_execution_time.astimezone(settings.zone).date()
        week = (today - timedelta(days=today.weekday() + 7)).isoformat()
        return dg.RunRequest(run_key=week, run_config={"ops": {"exports__report": {"config": {"week": week}}}})

    return weekly_report_tick


def cron(minutes: int) -> str:
    """A cron line for an interval that divides the hour or, in whole hours, the day."""
    if minutes < 60:
        return f"*/{minutes} * * * *"
    return f"0 */{minutes // 60} * * *" if minutes < 1440 else "0 0 * * *"
