"""The sensors, as the daemon evaluates them: what Dagster knows becomes an episode, and an observation in the UI."""

from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import dagster as dg
import psycopg
import pytest
from dagster._core.definitions.freshness import FreshnessState, FreshnessStateChange

from dagster_project.alerts import episodes
from dagster_project.definitions import defs
from dagster_project.orchestration.alert_sensors import ALERTS, heartbeat_sensor, send_sensor, watch_sensor
from dagster_project.orchestration.assets.dbt import freshness
from dagster_project.orchestration.resources import Warehouse
from dagster_project.settings import Settings
from tests.support.receivers import receiving


@pytest.fixture
def instance(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("DATABASE_URL", database_url)
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def evaluate(sensor: dg.SensorDefinition, instance: dg.DagsterInstance, url: str) -> Any:
    with dg.build_sensor_context(
        instance=instance, repository_def=defs.get_repository_def(), resources={"warehouse": Warehouse(url=url)}
    ) as context:
        return sensor.evaluate_tick(context)


def run(instance: dg.DagsterInstance, job: str, event: dg.DagsterEventType) -> str:
    made = instance.create_run_for_job(_JOBS[job])
    instance.report_dagster_event(dg.DagsterEvent(event.value, job), made.run_id)
    return made.run_id


@dg.op
def nothing() -> None: ...


@dg.job(name="refresh_all")
def some_job() -> None:
    nothing()


@dg.job(name="verify_all")
def other_job() -> None:
    nothing()


_JOBS = {"refresh_all": some_job, "verify_all": other_job}


def test_a_job_that_failed_is_told_with_its_run_until_it_succeeds(
    instance: dg.DagsterInstance, database_url: str
) -> None:
    watch = watch_sensor(Settings.load())
    run(instance, "refresh_all", dg.DagsterEventType.RUN_FAILURE)
    failed = run(instance, "refresh_all", dg.DagsterEventType.RUN_FAILURE)
    run(instance, "verify_all", dg.DagsterEventType.RUN_FAILURE)
    run(instance, "verify_all", dg.DagsterEventType.RUN_SUCCESS)
    tick = evaluate(watch, instance, database_url)
    assert tick.skip_message.startswith("Run of refresh_all failed at ")
    (observed,) = tick.asset_events
    assert observed.asset_key == ALERTS and "Run of refresh" in observed.metadata["alerts"].value
    assert evaluate(watch, instance, database_url).skip_message == "nothing new is wrong"
    with psycopg.connect(database_url) as conn:
        (one,) = episodes.listed(conn, past=False)
        assert (one.kind, one.subject, one.severity) == ("run_failed", "refresh_all", "error")
        assert conn.execute("select metadata ->> 'run_id' from ops.notifications").fetchone() == (failed,)
    run(instance, "refresh_all", dg.DagsterEventType.RUN_SUCCESS)
    assert evaluate(watch, instance, database_url).skip_message.startswith("over: Run of refresh_all failed")


def test_marts_that_fail_their_policy_are_one_alert_of_what_the_ui_shows(
    instance: dg.DagsterInstance, database_url: str
) -> None:
    for name in ("kpi_daily", "sla_daily"):
        instance._report_runless_asset_event(
            FreshnessStateChange(
                key=dg.AssetKey(["marts", name]),
                previous_state=FreshnessState.PASS,
                new_state=FreshnessState.FAIL,
                state_change_timestamp=1.0,
            )
        )
    tick = evaluate(watch_sensor(Settings.load()), instance, database_url)
    assert tick.skip_message == "Marts are not fresh: kpi_daily, sla_daily"


def test_each_mart_and_each_source_that_is_read_by_schedule_says_how_fresh_it_must_be() -> None:
    graph = defs.resolve_asset_graph()
    nodes = {"/".join(node.key.path): node.freshness_policy_or_from_metadata for node in graph.asset_nodes}
    assert nodes["marts/kpi_daily"] == dg.FreshnessPolicy.time_window(
        fail_window=timedelta(hours=26), warn_window=timedelta(hours=13)
    )
    fail = timedelta(minutes=Settings.load().freshness_minutes)
    for entity in ("chats", "contacts"):
        assert nodes[f"raw/{entity}"] == dg.FreshnessPolicy.time_window(fail_window=fail, warn_window=fail / 2)
    without = {key for key, policy in nodes.items() if not policy and key.startswith(("marts/", "raw/"))}
    assert {"raw/audit_messages", "marts/sync_health"} <= without and "marts/chat_response_times" not in without
    nightly = freshness({"warn_hours": 2, "fail_hours": 4}, minutes_between_refreshes=1440)
    assert nightly == dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=72), warn_window=timedelta(hours=48))


def test_nothing_is_sent_by_default_and_a_heartbeat_only_while_all_daemons_are_at_work(
    instance: dg.DagsterInstance, database_url: str
) -> None:
    stopped = dg.DefaultSensorStatus.STOPPED
    assert [make(Settings.load()).default_status for make in (send_sensor, heartbeat_sensor)] == [stopped] * 2
    with receiving() as receiver:
        beat = heartbeat_sensor(Settings.load(heartbeat_url=receiver.url))
        assert beat.default_status == dg.DefaultSensorStatus.RUNNING
        states = {"SENSOR": True, "SCHEDULER": False, "BACKFILL": None}  # None: this instance needs it not
        instance.get_daemon_statuses = lambda *_: {  # type: ignore[method-assign]
            name: SimpleNamespace(healthy=state) for name, state in states.items()
        }
        assert evaluate(beat, instance, database_url).skip_message == "no heartbeat: not at work: SCHEDULER"
        assert receiver.take() == []
        states["SCHEDULER"] = True
        assert evaluate(beat, instance, database_url).skip_message == "sent"
        assert len(receiver.take()) == 1
        receiver.status = 410
        assert evaluate(beat, instance, database_url).skip_message == "not sent: it answered HTTP 410"


def test_a_kpi_and_an_sla_out_of_bounds_are_told_in_numbers(instance: dg.DagsterInstance, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute("create schema if not exists marts")
        conn.execute(
            "create table marts.kpi_alarms (kind text, metric text, metric_label_en text, unit text, local_date date, "
            "hour_label text, value float, expected_low float, expected_high float)"
        )
        conn.execute(
            "insert into marts.kpi_alarms values "
            "('kpi_out_of_band', 'chats_created', 'Chats created', 'chats', '2026-11-27', '10', 60, 64.8, 147.2), "
            "('sla_below_goal', 'sla_pickup_rate', 'Pickup SLA', 'share', '2026-11-26', null, 0.9, 0.95, null)"
        )
        tick = evaluate(watch_sensor(Settings.load()), instance, database_url)
        assert tick.skip_message == (
            "Chats created, 2026-11-27 10:00: 60 (usual 65 to 147); Pickup SLA, 2026-11-26: 90.0% (goal 95.0%)"
        )
        conn.execute("truncate marts.kpi_alarms")
        assert evaluate(watch_sensor(Settings.load()), instance, database_url).skip_message.startswith("over: ")
