"""What the Dagster UI shows: loaded as the code server loads it."""

import json
import os
import re
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dagster_project.definitions import defs
from dagster_project.orchestration.assets.dbt import Translator, _scratch, translator
from dagster_project.orchestration.assets.raw import ChatsConfig
from dagster_project.orchestration.dbt_project import manifest
from dagster_project.orchestration.resources import B2ChatAccount
from dagster_project.orchestration.schedules import cron, weekly_report_schedule
from dagster_project.orchestration.sensors import audit_sensor
from dagster_project.settings import PROJECT_ROOT, Settings

LAYERS = {"staging", "intermediate", "core", "calendar", "facts", "rollups", "marts", "marts_pii", "marts_admin"}
GROUPS = {"dashboard", "exports", "raw", "analysis", "evaluation", "operations", "backups"} | LAYERS


@pytest.fixture(scope="module")
def graph() -> Any:
    dg.Definitions.validate_loadable(defs)
    return defs.resolve_asset_graph()


def test_every_asset_has_a_group_an_owner_a_kind_and_a_description(graph: Any) -> None:
    nodes = list(graph.asset_nodes)
    assert len(nodes) > 20
    for node in nodes:
        assert node.group_name in GROUPS, node.key
        assert node.owners, node.key
        assert node.kinds, node.key
        assert node.description, node.key


def test_the_graph_runs_from_the_api_to_the_picture_without_a_gap(graph: Any) -> None:
    above, todo = set(), [dg.AssetKey(["marts", "weekly_heatmap_picture"])]
    while todo:
        above.add(key := todo.pop())
        todo += [parent for parent in graph.get(key).parent_keys if parent not in above]
    for key in (["raw", "chats"], ["core", "chats"], ["core", "messages"], ["marts", "chat_response_times"]):
        assert dg.AssetKey(key) in above


def test_a_mart_with_versions_keeps_its_asset() -> None:
    newest = {"resource_type": "model", "version": 2, "schema": "marts", "alias": "kpi_daily", "name": "kpi_daily"}
    assert translator.get_asset_key(newest) == dg.AssetKey(["marts", "kpi_daily"])
    assert translator.get_asset_key(newest | {"alias": "kpi_daily_v1"}) == dg.AssetKey(["marts", "kpi_daily_v1"])


def test_no_model_reads_the_settings_again(monkeypatch: pytest.MonkeyPatch) -> None:
    # Each of 1,600 questions once did, and every command and server began 4 seconds later.
    def read_again(**_: object) -> Settings:
        raise AssertionError("the settings are read again")

    nodes, fresh = json.loads(manifest().read_bytes()), Translator(15)
    mart = next(
        name
        for name, node in nodes["nodes"].items()
        if node["config"].get("meta", {}).get("freshness") and name.startswith("model.")
    )
    monkeypatch.setattr(Settings, "load", read_again)
    assert fresh.get_asset_spec(nodes, mart, None) is fresh.get_asset_spec(nodes, mart, None)


def test_one_step_at_a_time_asks_the_account(graph: Any) -> None:
    for entity in ("chats", "contacts"):
        assert graph.get(dg.AssetKey(["raw", entity])).pools == {"b2chat_account"}


def test_dbt_tests_are_asset_checks_and_keys_block(graph: Any) -> None:
    keys = {key: graph.get(key) for key in graph.asset_check_keys}
    assert len(keys) > 50
    of_chats = [node for key, node in keys.items() if key.asset_key == dg.AssetKey(["core", "chats"])]
    assert any(node.blocking for node in of_chats)


def test_every_test_of_dbt_on_a_table_is_a_check_of_one(graph: Any) -> None:
    """A test of several tables that names none of them is a warning in each run's log, and nowhere in the UI."""
    nodes = json.loads(manifest().read_text())["nodes"].values()
    singular = {node["name"] for node in nodes if node["resource_type"] == "test" and "test_metadata" not in node}
    assert singular and singular <= {key.name for key in graph.asset_check_keys}


def test_every_check_says_what_it_holds(graph: Any) -> None:
    checks = {key: graph.get_check_spec(key).description for key in graph.asset_check_keys}
    assert [key for key, description in checks.items() if not description] == []
    of_days = dg.AssetKey(["marts", "account_daily"])
    key = dg.AssetCheckKey(of_days, "primary_key_account_daily_local_date")
    assert checks[key] == "No two rows have the same `local_date`, and none of it is NULL."


def test_every_job_schedule_sensor_and_resource_says_what_it_does_and_so_does_each_field_of_a_launchpad() -> None:
    repository = defs.get_repository_def()
    jobs = [job for job in repository.get_all_jobs() if not job.name.startswith("__")]
    resources = repository.get_top_level_resources()
    said: dict[str, str | None] = {
        **{job.name: job.description for job in jobs},
        **{node.name: node.definition.description for job in jobs for node in job.nodes if node.name != "dbt_models"},
        **{ticker.name: ticker.description for ticker in (*repository.schedule_defs, *repository.sensor_defs)},
        **{name: resource.description for name, resource in resources.items()},
    }
    launchpads = {node.name: node.definition.config_schema for job in jobs for node in job.nodes}
    forms = {**launchpads, **{name: resource.config_schema for name, resource in resources.items()}}
    for form, schema in forms.items():
        fields = getattr(schema.config_type, "fields", {}) if schema else {}
        said |= {f"{form}.{name}": field.description for name, field in fields.items()}
    assert len(said) > 100
    assert [name for name, text in said.items() if not text] == []
    assert {schedule.execution_timezone for schedule in repository.schedule_defs} == {Settings.load().timezone}


def test_secrets_of_resources_are_names_of_variables() -> None:
    values = {name: resource.model_dump() for name, resource in (defs.resources or {}).items()}
    for resource, field in (("warehouse", "url"), ("b2chat", "client_id"), ("b2chat", "client_secret")):
        assert isinstance(values[resource][field], dg.EnvVar), field


def test_jobs_and_the_schedule_are_there() -> None:
    assert {"refresh_all", "sync_b2chat", "build_marts", "verify_all"} <= {
        job.name for job in defs.resolve_all_job_defs()
    }
    schedule = defs.resolve_schedule_def("refresh_all_schedule")
    assert schedule.cron_schedule == "*/15 * * * *"
    assert schedule.execution_timezone == "America/Bogota"


def test_the_page_of_operations_lists_every_schedule_with_its_time() -> None:
    page = (PROJECT_ROOT / "docs" / "operations.md").read_text()
    told = dict(re.findall(r"^\| `(\w+_schedule)` \| (.+?) \|", page, re.MULTILINE))
    lines = {one.name: one.cron_schedule for one in defs.get_repository_def().schedule_defs}
    assert told.keys() == lines.keys()
    for name, line in lines.items():
        minute, hour, *_, weekday = str(line).split()
        if hour.isdecimal():
            day = {"0": "Sunday ", "1": "Monday "}.get(weekday, "")
            assert told[name] == f"{day}{int(hour):02}:{int(minute):02}", name


def test_on_monday_the_week_before_is_reported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody@nowhere/nothing")
    schedule = weekly_report_schedule(Settings.load(timezone="America/Bogota"))
    assert (schedule.cron_schedule, schedule.default_status) == ("0 7 * * 1", dg.DefaultScheduleStatus.STOPPED)
    monday = datetime(2026, 11, 16, 12, tzinfo=UTC)  # seven in the morning in Bogota
    with dg.instance_for_test() as instance:
        tick = schedule.evaluate_tick(dg.build_schedule_context(instance, scheduled_execution_time=monday))
    [request] = tick.run_requests or []
    assert request.run_key == "2026-11-09"
    dg.validate_run_config(defs.resolve_job_def("weekly_report"), request.run_config)
    assert request.run_config["ops"]["exports__report"]["config"] == {"week": "2026-11-09"}


def test_a_tick_starts_one_run_where_two_code_locations_have_the_schedule() -> None:
    schedule, at = defs.resolve_schedule_def("verify_all_schedule"), datetime(2026, 11, 16, 8, 30, tzinfo=UTC)
    tags = {"dagster/schedule_name": "verify_all_schedule", ".dagster/scheduled_execution_time": at.isoformat()}
    with dg.instance_for_test() as instance:

        def requested(at: datetime) -> int:
            tick = schedule.evaluate_tick(dg.build_schedule_context(instance, scheduled_execution_time=at))
            return len(tick.run_requests or [])

        assert requested(at) == 1
        made = instance.add_run(dg.DagsterRun("verify_all", tags=tags, status=dg.DagsterRunStatus.NOT_STARTED))
        assert requested(at) == 1  # the daemon was killed before it started it: Dagster takes that run
        instance.add_run(dg.DagsterRun("verify_all", tags=tags, status=dg.DagsterRunStatus.STARTED))
        assert made and (requested(at), requested(at + timedelta(days=1))) == (0, 1)


def test_no_two_schedules_of_the_night_begin_at_the_same_minute() -> None:
    lines = [schedule.cron_schedule for schedule in defs.schedules or [] if schedule.name != "refresh_all_schedule"]
    assert len({" ".join(str(line).split()[:2]) for line in lines}) == len(lines)


@pytest.mark.parametrize(
    ("minutes", "line"), [(15, "*/15 * * * *"), (60, "0 */1 * * *"), (360, "0 */6 * * *"), (1440, "0 0 * * *")]
)
def test_an_interval_in_minutes_becomes_a_cron_line(minutes: int, line: str) -> None:
    assert cron(minutes) == line


def test_no_secret_stands_in_the_resources_config() -> None:
    settings = Settings.load(client_id="someone", client_secret="canary", database_url="postgresql://a:canary@h/d")
    assert "canary" not in repr(B2ChatAccount.from_settings(settings)) + repr(defs.resources)


def test_every_job_has_a_config_that_its_steps_take(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("DATABASE_URL", "B2CHAT_API_URL", "B2CHAT_CLIENT_ID", "B2CHAT_CLIENT_SECRET"):
        monkeypatch.setenv(variable, "set")
    for job in defs.resolve_all_job_defs():
        if not job.name.startswith("__"):
            dg.validate_run_config(job, job.run_config or {})


def test_a_new_or_changed_audit_file_asks_for_one_run(tmp_path: Path) -> None:
    sensor = audit_sensor(Settings.load(audit_folder=tmp_path))
    assert isinstance(_evaluate(sensor), dg.SkipReason)
    (tmp_path / "export.csv").write_text("a")
    first, again = _evaluate(sensor), _evaluate(sensor)
    assert isinstance(first, dg.RunRequest) and isinstance(again, dg.RunRequest)
    assert first.run_key == again.run_key
    (tmp_path / "export.csv").write_text("ab")
    changed = _evaluate(sensor)
    assert isinstance(changed, dg.RunRequest) and changed.run_key != first.run_key


def test_a_backfill_reads_the_days_that_it_names_or_the_last_week() -> None:
    today = date(2026, 1, 9)
    first, last = date(2026, 1, 5), date(2026, 1, 6)
    assert _days(mode="backfill", date_start=str(first), date_end=str(last)) == (first, last)
    assert _days(mode="backfill", date_start=str(first)) == (first, today)
    assert _days(mode="backfill") == (date(2026, 1, 3), today)
    assert _days() is None
    for wrong in (
        {"date_start": "2026-01-05"},
        {"mode": "backfill", "date_end": "2026-01-10"},
        {"mode": "backfill", "date_start": "05/01/2026"},
        {"mode": "backfill", "date_start": "2026-01-06", "date_end": "2026-01-05"},
    ):
        with pytest.raises(dg.Failure):
            _days(**wrong)


def _days(**fields: str) -> Any:
    return ChatsConfig(**fields).backfilled_days(date(2026, 1, 9))  # type: ignore[arg-type]


def _evaluate(sensor: dg.SensorDefinition) -> Any:
    return sensor(dg.build_sensor_context())


def test_the_main_job_runs_all_of_dbt_as_one_step_or_it_could_never_leave_a_build_out() -> None:
    """A model that waits for an asset that itself waits for models would part it into several dbt processes."""
    job = defs.resolve_job_def("refresh_all")
    assert [node.name for node in job.graph.nodes if node.name.startswith("dbt_models")] == ["dbt_models"]
    assert not job.asset_layer.asset_graph.get(dg.AssetKey(["core", "chats"])).assets_def.is_subset


def test_what_failed_builds_left_goes_after_a_week(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("B2CHAT_DATA_DIR", str(tmp_path))
    old, new = (tmp_path / "dbt" / f"run-{name}" for name in ("old", "new"))
    for folder in (old, new):
        folder.mkdir(parents=True)
    eight_days_ago = time.time() - 8 * 86_400
    os.utime(old, (eight_days_ago, eight_days_ago))
    _scratch("this")
    assert (old.exists(), new.exists()) == (False, True)


def test_a_process_of_dagster_imports_neither_dbt_nor_what_selects_its_nodes() -> None:
    code = "import sys, dagster_project.definitions; print(sorted({'dbt', 'networkx', 'mashumaro'} & set(sys.modules)))"
    environment = os.environ | {"DATABASE_URL": "postgresql://nobody@localhost/nowhere"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PROJECT_ROOT, env=environment
    )
    assert done.stdout.strip() == "[]"
