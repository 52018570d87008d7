"""Jobs that delete, copy or restore: whoever starts one in the UI names an Admin; a refusal is in the audit log."""

from collections.abc import Callable
from typing import Any

import dagster as dg
import psycopg
import pytest

from dagster_project.orchestration.assets import launch
from dagster_project.orchestration.assets.backup import back_up_changes_job, backup, restore_drill
from dagster_project.orchestration.assets.erasure import erase_people_job
from dagster_project.orchestration.assets.maintenance import (
    archive_months_job,
    clean_up_invites_job,
    enforce_retention_job,
    retry_quarantine_job,
)
from dagster_project.orchestration.dbt_project import dbt_project, executable
from dagster_project.orchestration.resources import DbtCli, Warehouse
from dagster_project.warehouse.access import users

# Each job, and its step that asks.
JOBS = {
    "enforce_retention": (enforce_retention_job, "drop_old_logs"),
    "erase_people": (erase_people_job, "forget_people"),
    "archive_months": (archive_months_job, "retire_old_months"),
    "retry_quarantine": (retry_quarantine_job, "retry_quarantined_records"),
    "clean_up_invites": (clean_up_invites_job, "delete_expired_invites"),
    "back_up_changes": (back_up_changes_job, "copy_changes"),
    "backup": (dg.define_asset_job("backup", [backup]), "ops__backup"),
    "restore_drill": (dg.define_asset_job("restore_drill", [restore_drill]), "ops__restore_drill"),
}
DENIED = """
    select user_id, metadata ->> 'doing', error_message from ops.audit_logs
    where event_type = 'permission.denied' order by timestamp desc limit 1
"""


@pytest.fixture(scope="module")
def url(new_database: Callable[[], str], new_folder: Callable[[], str]) -> str:
    made = new_database()
    with psycopg.connect(made) as conn:
        users.add(conn, "mara@acme.co", "Manager")
        users.of(conn, "robot")
    return made


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, new_folder: Callable[[], str]) -> None:
    monkeypatch.setenv("B2CHAT_DATA_DIR", new_folder())


def started(url: str, name: str, admin: str | None, **more: Any) -> dg.ExecuteInProcessResult:
    job, step = JOBS[name]
    resources = {
        "warehouse": Warehouse(url=url),
        "dbt": DbtCli(project_dir=dbt_project, dbt_executable=executable("dbt")),
    }
    if not isinstance(job, dg.JobDefinition):
        job = dg.Definitions([backup, restore_drill], jobs=[job], resources=resources).resolve_job_def(job.name)
    config = {"ops": {step: {"config": {"admin": admin}}}} if admin is not None else {}
    return job.execute_in_process(resources=resources, run_config=config, raise_on_error=False, **more)


def failure(result: dg.ExecuteInProcessResult) -> str:
    [failed] = [event for event in result.all_node_events if event.is_step_failure]
    assert failed.step_failure_data.error
    return failed.step_failure_data.error.message


def test_a_warehouse_that_has_no_admin_yet_asks_for_none(url: str) -> None:
    assert started(url, "enforce_retention", None).success


@pytest.mark.parametrize("name", JOBS)
def test_who_names_no_admin_is_refused_and_that_is_written_down(url: str, name: str) -> None:
    others = (
        ("nobody@acme.co", "dagster", "there is no such user"),
        ("robot", "robot", "robot is a service, and it takes an Admin"),
        ("mara@acme.co", "mara", "mara is Manager, and it takes an Admin"),
    )
    with psycopg.connect(url, autocommit=True) as conn:
        if not users.find(conn, "ana"):
            users.add(conn, "ana@acme.co", "Admin")
        for admin, who, reason in (
            (None, "dagster", "no Admin is named in its config"),
            *(others if name == "enforce_retention" else ()),
        ):
            assert reason in failure(started(url, name, admin))
            denied = conn.execute(DENIED).fetchone()
            assert denied and (denied[0], denied[2]) == (who, reason)


def test_an_admin_who_is_named_answers_for_the_run_schedules_and_commands_for_themselves(url: str) -> None:
    assert started(url, "enforce_retention", "Ana@Acme.co").success
    with psycopg.connect(url, autocommit=True) as conn:
        row = conn.execute("select user_id, resource from ops.audit_logs where event_type = 'job.start'").fetchall()
        assert row[-1] == ("ana", "job:enforce_retention")
        users.change(conn, "ana", disabled=True)
        users.add(conn, "eva@acme.co", "Admin")
        assert "ana is disabled" in failure(started(url, "enforce_retention", "ana"))
        assert started(url, "enforce_retention", None, tags={"dagster/schedule_name": "at_night"}).success
        assert "no Admin" in failure(started(url, "enforce_retention", None, tags={"b2chat/started_by": "eva"}))
        launch.of_a_command.add("0a0a0a0a-0000-4000-8000-000000000000")
        own = started(url, "enforce_retention", None, run_id="0a0a0a0a-0000-4000-8000-000000000000")
        assert own.success
        users.of(conn, "dagster")
        users.change(conn, "dagster", disabled=True)
        scheduled = started(url, "enforce_retention", None, tags={"dagster/schedule_name": "at_night"})
        assert "dagster is disabled" in failure(scheduled)
