"""What Dagster's storage of ours keeps of a run is what Dagster's own would keep."""

from pathlib import Path

import dagster as dg
import psycopg
import pytest

from dagster_project.warehouse import connection

CONFIG = """
storage:
  custom:
    module: dagster_project.orchestration.storage
    class: PooledStorage
    config: {postgres_url: {env: DAGSTER_PG_URL}}
telemetry: {enabled: false}
"""
EVENTS = """
    select dagster_event_type, asset_key, step_key, event::jsonb #>> '{dagster_event,message}'
    from dagster.event_logs where run_id = %s order by id
"""
CHECKS = """
    select checks.asset_key, check_name, checks.partition, execution_status, events.dagster_event_type,
        events.timestamp = evaluation_event_timestamp
    from dagster.asset_check_executions as checks
    left join dagster.event_logs as events on events.id = evaluation_event_storage_id
    where checks.run_id = %s order by 1, 2
"""
ASSETS = "select asset_key, last_materialization_timestamp is not null from dagster.asset_keys where last_run_id = %s"


@dg.asset(check_specs=[dg.AssetCheckSpec("is_there", asset="first"), dg.AssetCheckSpec("is_whole", asset="first")])
def first() -> dg.MaterializeResult:
    passed = [dg.AssetCheckResult(check_name=name, passed=True) for name in ("is_there", "is_whole")]
    return dg.MaterializeResult(check_results=passed)


@dg.asset(deps=[first])
def second() -> None:
    pass


DEFINITIONS = dg.Definitions(assets=[first, second], jobs=[dg.define_asset_job("both")])


def test_what_a_run_is_to_make_is_noted_at_once_as_it_would_be_one_by_one(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dagster.yaml").write_text(CONFIG)
    for name, value in connection.environment(database_url).items():
        monkeypatch.setenv(name, value)
    job, kept = DEFINITIONS.resolve_job_def("both"), []
    for size in ("0", "1000", "1000"):  # the second of them finds the assets there
        monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", size)
        with dg.DagsterInstance.from_config(str(tmp_path)) as instance, psycopg.connect(database_url) as conn:
            run = instance.create_run_for_job(job).run_id
            kept.append([sorted(conn.execute(query, [run]), key=str) for query in (EVENTS, CHECKS, ASSETS)])
    assert kept[0] == kept[1] == kept[2] and [len(rows) for rows in kept[0]] == [4, 2, 2]
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        ended = job.execute_in_process(instance=instance)
    with psycopg.connect(database_url) as conn:
        states = [row[3] for row in conn.execute(CHECKS, [ended.run_id])]
    assert states == ["SUCCEEDED", "SUCCEEDED"]
