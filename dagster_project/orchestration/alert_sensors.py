"""The sensors of alerts: one looks for trouble, one delivers messages, one is the heartbeat.

A sensor has one connection to the warehouse while it looks or sends; no transaction is open while a message leaves.
"""

from datetime import UTC, datetime, timedelta

import dagster as dg
import psycopg
from dagster._core.definitions.freshness import FreshnessState

from dagster_project.alerts import episodes, heartbeat
from dagster_project.alerts.channels.configured import channels_of, mailbox_of
from dagster_project.alerts.channels.contract import DeliveryFailed
from dagster_project.alerts.deliver import deliver
from dagster_project.alerts.troubles import Look, Trouble, look
from dagster_project.analysis.customer_analysis.analyses import fail_abandoned
from dagster_project.orchestration import run_locks
from dagster_project.orchestration.resources import Warehouse
from dagster_project.orchestration.ui import markdown
from dagster_project.settings import Settings
from dagster_project.sources.catalog import SOURCES
from dagster_project.warehouse import system_settings

ALERTS = dg.AssetKey(["ops", "alerts"])
_FAILURES_SINCE, _MAX_FAILURES = timedelta(days=14), 200
_BY_HAND = "assets chosen by hand"  # instead of the name that Dagster gives such a job

fired = dg.AssetSpec(
    ALERTS,
    group_name="operations",
    owners=["team:data"],
    kinds={"postgres"},
    description="What the sensor `watch` found: an observation each time that an alert fires or is over, with all that "
    "last. The rows are in `ops.notifications`; for BI tools `marts.notifications_daily` counts them.",
)


def watch_sensor(settings: Settings) -> dg.SensorDefinition:
    """Writes an episode into ops.notifications for whatever is wrong, and closes those that are over."""

    @dg.sensor(
        name="watch",
        minimum_interval_seconds=120,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Writes ops.notifications: a run or a sync failed, freshness is lost, quarantine grew, the AI "
        "budget, SLA and KPIs. Closes runs of the command line that were killed, and customer analyses.",
    )
    def watch(context: dg.SensorEvaluationContext, warehouse: Warehouse) -> dg.SensorResult:
        with warehouse.connect() as conn:
            conn.autocommit = True
            fail_abandoned(conn)
            run_locks.fail_abandoned(conn, context.instance)
            on = [source for source in SOURCES if settings.is_on(source.name)]
            found = look(conn, system_settings.effective(conn, settings), on) + _failed_runs(context.instance)
            if context.repository_def:
                found += _stale_marts(context.instance, context.repository_def)
            changes = episodes.record(conn, found)
            observed = [_observation(conn)] if changes.opened or changes.recovered else []
        lines = [*changes.opened, *(f"over: {title}" for title in changes.recovered)]
        return dg.SensorResult(skip_reason="; ".join(lines) or "nothing new is wrong", asset_events=observed)

    return watch


def send_sensor(settings: Settings) -> dg.SensorDefinition:
    """Sends what is to be said through the channels of the settings, and mails the weekly report."""
    is_on = bool(channels_of(settings) or (mailbox_of(settings) and settings.report_email_to))

    @dg.sensor(
        name="send_alerts",
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING if is_on else dg.DefaultSensorStatus.STOPPED,
        description="Sends alerts by webhook, e-mail and apprise, and mails the weekly report. What a receiver does "
        "not take waits, and is sent later.",
    )
    def send_alerts(warehouse: Warehouse) -> dg.SkipReason:
        with warehouse.connect() as conn:
            conn.autocommit = True
            return dg.SkipReason(
                "; ".join(deliver(conn, system_settings.effective(conn, settings))) or "nothing is to be sent"
            )

    return send_alerts


def heartbeat_sensor(settings: Settings) -> dg.SensorDefinition:
    """Asks for B2CHAT_HEARTBEAT_URL while the warehouse answers and each daemon of Dagster is at work."""

    @dg.sensor(
        name="heartbeat",
        minimum_interval_seconds=settings.heartbeat_minutes * 60,
        default_status=dg.DefaultSensorStatus.RUNNING if settings.heartbeat_url else dg.DefaultSensorStatus.STOPPED,
        description="Asks for B2CHAT_HEARTBEAT_URL while the warehouse answers and each daemon of Dagster is at work: "
        "the service behind it raises the alarm when it hears nothing.",
    )
    def send_heartbeat(context: dg.SensorEvaluationContext, warehouse: Warehouse) -> dg.SkipReason:
        with warehouse.connect() as conn:
            conn.execute("select 1")
        if silent := silent_daemons(context.instance):
            return dg.SkipReason(f"no heartbeat: not at work: {', '.join(silent)}")
        try:
            return dg.SkipReason("sent" if heartbeat.beat(settings) else "B2CHAT_HEARTBEAT_URL is not set")
        except DeliveryFailed as fault:
            return dg.SkipReason(f"not sent: {fault}")

    return send_heartbeat


def silent_daemons(instance: dg.DagsterInstance) -> list[str]:
    """The daemons of Dagster that have not been heard of for minutes, though this instance needs them."""
    return sorted(name for name, status in instance.get_daemon_statuses().items() if status.healthy is False)


def _failed_runs(instance: dg.DagsterInstance) -> Look:
    """The jobs whose newest run failed: of the UI, of schedules and of the command line."""
    failures = instance.get_run_records(
        dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=datetime.now(UTC) - _FAILURES_SINCE),
        limit=_MAX_FAILURES,
    )
    newest: dict[str, dg.RunRecord] = {}
    for record in failures:  # newest first
        newest.setdefault(record.dagster_run.job_name, record)
    found = []
    for job, record in newest.items():
        better = dg.RunsFilter(
            job_name=job, statuses=[dg.DagsterRunStatus.SUCCESS], updated_after=record.update_timestamp
        )
        if instance.get_runs_count(better):
            continue
        subject = _BY_HAND if job.startswith("__") else job
        title = f"Run of {subject} failed at {record.update_timestamp.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        found.append(Trouble("run_failed", subject, "error", title, run_id=record.dagster_run.run_id))
    return Look(found, frozenset({"run_failed"}))


def _stale_marts(instance: dg.DagsterInstance, repository: dg.RepositoryDefinition) -> Look:
    """The marts that fail their freshness policy, as the UI shows it: one trouble, because they are built together."""
    marts = [
        node.key
        for node in repository.asset_graph.asset_nodes
        if node.freshness_policy_or_from_metadata and node.key.path[0] == "marts"
    ]
    states = instance.get_freshness_state_records(marts)
    lost = sorted(key.path[-1] for key, state in states.items() if state.freshness_state == FreshnessState.FAIL)
    if not lost:
        return Look()
    names = ", ".join(lost[:5]) + (f" and {len(lost) - 5} more" if len(lost) > 5 else "")
    return Look([Trouble("freshness_lost", "marts", "error", f"Marts are not fresh: {names}", value=len(lost))])


def _observation(conn: psycopg.Connection) -> dg.AssetObservation:
    lasting = episodes.listed(conn, past=False)
    rows = [
        (one.severity, one.title, f"{one.opened_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC", one.id[:8]) for one in lasting
    ]
    return dg.AssetObservation(
        ALERTS,
        metadata={
            "open": dg.MetadataValue.int(len(rows)),
            "alerts": markdown.table(["severity", "what", "since", "id"], rows),
        },
    )
