"""Old runs of Dagster leave whole, and what was last known of an asset or a check stays."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from dagster_project.orchestration import old_runs
from dagster_project.warehouse import connection

CONFIG = """
storage:
  custom:
    module: dagster_project.orchestration.storage
    class: PooledStorage
    config: {{postgres_url: {{env: DAGSTER_PG_URL}}}}
compute_logs:
  module: dagster.core.storage.local_compute_log_manager
  class: LocalComputeLogManager
  config: {{base_dir: {}}}
telemetry: {{enabled: false}}
"""
TABLES = ("runs", "run_tags", "event_logs", "asset_check_executions")


@dg.asset(check_specs=[dg.AssetCheckSpec("is_there", asset="hourly")])
def hourly() -> dg.MaterializeResult:
    return dg.MaterializeResult(check_results=[dg.AssetCheckResult(check_name="is_there", passed=True)])


@dg.asset
def yearly() -> None:
    pass


HOUR, YEAR = (dg.define_asset_job(name, selection=[name[:-4]]) for name in ("hourly_job", "yearly_job"))
DEFINITIONS = dg.Definitions(assets=[hourly, yearly], jobs=[HOUR, YEAR])


@pytest.fixture
def instance(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "dagster.yaml").write_text(CONFIG.format(tmp_path / "printed"))
    for name, value in connection.environment(database_url).items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.from_config(str(tmp_path)) as made:
        yield made


def test_old_runs_go_with_all_that_is_theirs_but_those_that_say_last_what_an_asset_or_a_check_was(
    instance: dg.DagsterInstance, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(job: str) -> str:
        done = DEFINITIONS.resolve_job_def(job).execute_in_process(instance=instance, tags={"why": "test"})
        return done.run_id

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    def held(table: str) -> set[str]:
        return {row[0] for row in conn.execute(f"select distinct run_id from dagster.{table}")}  # type: ignore[arg-type]

    hours, year = [run("hourly_job") for _ in range(3)], run("yearly_job")
    waits = instance.create_run_for_job(DEFINITIONS.resolve_job_def("hourly_job")).run_id
    young = run("hourly_job")
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(
            "update dagster.runs set create_timestamp = now() - interval '15 days' where run_id <> %s", [young]
        )
        assert old_runs.drop(instance, conn, 16) == 0
        with monkeypatch.context() as patched:
            patched.setattr(dg.DagsterInstance, "delete_run", killed)
            with pytest.raises(KeyboardInterrupt):
                old_runs.drop(instance, conn, 14)
        assert old_runs.drop(instance, conn, 14) == 3
        assert [table for table in TABLES if held(table) & set(hours)] == []
        assert held("runs") == {year, waits, young}
        assert held("asset_check_executions") == {waits, young}
    assert {folder.name for folder in (tmp_path / "printed").iterdir()} == {year, young}
    for asset, by in ((hourly, young), (yearly, year)):
        last = instance.get_latest_materialization_event(asset.key)
        assert last and last.run_id == by
