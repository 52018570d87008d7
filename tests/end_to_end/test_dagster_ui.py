"""Whatever is launched in the Dagster UI runs with its default config: asked over GraphQL, as the UI's page does."""

import functools
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from dagster_project.exports.tables.catalogue import TABLES

Ask = Callable[..., Any]
SANDBOX = {
    "B2CHAT_SANDBOX": "generated",
    "B2CHAT_SANDBOX_CLOCK": "2026-03-16T05:00:00+00:00",
    "B2CHAT_SANDBOX_DAYS": "31",
    "B2CHAT_SANDBOX_CHATS_PER_DAY": "12",
    "B2CHAT_SANDBOX_SEED": "11",
}
WITH_DBT = {"refresh_all", "build_marts", "verify_all", "land_audit_export", "customer_analysis"}
LAUNCHED = {"sync_all", "export_tables", "weekly_report"}
SELECTOR = {"repositoryLocationName": "dagster_project", "repositoryName": "__repository__"}


@pytest.fixture(scope="module")
def url(new_database: Callable[[], str]) -> str:
    return new_database()


@pytest.fixture(scope="module")
def variables(url: str, new_folder: Callable[[], str]) -> dict[str, str]:
    return SANDBOX | {"DATABASE_URL": url, "B2CHAT_DATA_DIR": new_folder()}


@pytest.fixture(scope="module")
def ask(
    variables: dict[str, str],
    b2chat_process: Callable[..., AbstractContextManager[Any]],
    unused_port: int,
) -> Iterator[Ask]:
    """Asks the GraphQL of a UI that was started on an empty warehouse."""
    with b2chat_process("ui", "--port", str(unused_port), **variables):
        asks = functools.partial(_graphql, f"http://127.0.0.1:{unused_port}/graphql")
        _wait(lambda: "RepositoryLocation" in str(asks(LOCATIONS)))
        yield asks


def test_materialize_all_on_an_empty_warehouse_makes_every_asset(ask: Ask, url: str) -> None:
    nodes = ask(ASSETS)["assetNodes"]
    made = [node for node in nodes if node["isMaterializable"]]
    assert not [node["assetKey"]["path"] for node in made if node["isPartitioned"]]  # or the UI asks for partitions
    keys = [{"path": node["assetKey"]["path"]} for node in made]
    run = _launch(ask, "__ASSET_JOB", selection=keys)
    _wait_for(ask, [run])
    events = ask(MADE, keys=keys)["assetNodes"]
    left_out = [
        node["assetKey"]["path"]
        for node in events
        if not node["assetMaterializations"] or node["assetMaterializations"][0]["runId"] != run
    ]
    # Rooms and calls are off here: there is nothing of them to write to a file.
    assert sorted(left_out) == sorted(["exports", kind] for kind, one in TABLES.items() if one.source)
    (picture,) = ask(PICTURE)["assetOrError"]["assetMaterializations"]
    assert any("data:image/png" in entry.get("mdStr", "") for entry in picture["metadataEntries"])
    with psycopg.connect(url) as conn:
        assert conn.execute("select count(*) > 300 from marts.chat_response_times").fetchone() == (True,)


def test_every_job_runs_with_the_config_that_its_launchpad_shows(
    ask: Ask, b2chat: Callable[..., subprocess.CompletedProcess[str]], variables: dict[str, str]
) -> None:
    """Three as the page launches them, side by side; all others in one process, as each of Dagster's would run them."""
    jobs = _launchpads(ask)
    # It needs a server that notes what changes, and would copy all databases of the tests': test_backup.py runs it.
    assert jobs.pop("back_up_changes") == "{}"
    assert jobs.keys() > WITH_DBT | LAUNCHED
    _wait_for(ask, [_launch(ask, job, jobs.pop(job)) for job in sorted(LAUNCHED)])
    file = Path(variables["B2CHAT_DATA_DIR"]) / "jobs.json"
    file.write_text(json.dumps(jobs))
    done = b2chat("exec", "python", "-m", "tests.support.launchpads", str(file), **variables)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(file.read_text()) == {job: [] for job in jobs}


def test_launchpads_show_what_people_choose(ask: Ask) -> None:
    shown = _launchpads(ask)
    for job, fields in {
        "weekly_report": ("week", "month", "language", "formats"),
        "export_tables": ("date_start", "date_end", "language", "format"),
        "backfill_days": ("date_start", "date_end", "confirm_deletions"),
        "customer_analysis": ("date_start", "date_end", "triggered_by"),
    }.items():
        assert [field for field in fields if f" {field}:" not in shown[job]] == [], job


def test_every_schedule_and_sensor_ticks_without_an_error(ask: Ask) -> None:
    found = ask(TICKERS)["repositoryOrError"]
    assert len(found["schedules"]) >= 7 and len(found["sensors"]) >= 3
    for schedule in found["schedules"]:
        tick = ask(SCHEDULE_TICK, selector=SELECTOR | {"scheduleName": schedule["name"]}, at=1_773_637_200.0)
        assert tick["scheduleDryRun"]["evaluationResult"]["error"] is None, schedule["name"]
    for sensor in found["sensors"]:
        tick = ask(SENSOR_TICK, selector=SELECTOR | {"sensorName": sensor["name"]})
        assert tick["sensorDryRun"]["evaluationResult"]["error"] is None, sensor["name"]


LOCATIONS = "{ workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError { __typename } } } } }"
ASSETS = "{ assetNodes { assetKey { path } isMaterializable isPartitioned } }"
MADE = """
query($keys: [AssetKeyInput!]) { assetNodes(assetKeys: $keys) {
  assetKey { path } assetMaterializations(limit: 1) { runId } } }
"""
PICTURE = """
{ assetOrError(assetKey: {path: ["marts", "weekly_heatmap_picture"]}) { ... on Asset {
  assetMaterializations(limit: 1) { runId metadataEntries { label ... on MarkdownMetadataEntry { mdStr } } } } } }
"""
_REPOSITORY = '(repositorySelector: {repositoryLocationName: "dagster_project", repositoryName: "__repository__"})'
JOBS = f"{{ repositoryOrError{_REPOSITORY} {{ ... on Repository {{ jobs {{ name presets {{ runConfigYaml }} }} }} }} }}"
TICKERS = f"{{ repositoryOrError{_REPOSITORY} {{ ... on Repository {{ schedules {{ name }} sensors {{ name }} }} }} }}"
LAUNCH = """
mutation($params: ExecutionParams!) { launchPipelineExecution(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  ... on RunConfigValidationInvalid { errors { message } } } }
"""
STATUS = """
query($run: ID!) { runOrError(runId: $run) { ... on Run { status jobName
  eventConnection(afterCursor: null) { events { ... on ExecutionStepFailureEvent { stepKey error { message cause {
  message } } } } } } } }
"""
SCHEDULE_TICK = """
mutation($selector: ScheduleSelector!, $at: Float) { scheduleDryRun(selectorData: $selector, timestamp: $at) {
  ... on DryRunInstigationTick { evaluationResult { error { message } } } ... on PythonError { message } } }
"""
SENSOR_TICK = """
mutation($selector: SensorSelector!) { sensorDryRun(selectorData: $selector, cursor: null) {
  ... on DryRunInstigationTick { evaluationResult { error { message } } } ... on PythonError { message } } }
"""


def _launchpads(ask: Ask) -> dict[str, str]:
    """What the launchpad of each job shows."""
    jobs = ask(JOBS)["repositoryOrError"]["jobs"]
    return {
        job["name"]: job["presets"][0]["runConfigYaml"] if job["presets"] else "{}"
        for job in jobs
        if not job["name"].startswith("__")
    }


def _launch(ask: Ask, job: str, config: str = "{}", selection: list[Any] | None = None) -> str:
    """Launch a job as the page does, with the text of its launchpad. Returns the run's id."""
    selector = SELECTOR | {"pipelineName": job} | ({"assetSelection": selection} if selection else {})
    launched = ask(LAUNCH, params={"mode": "default", "runConfigData": config, "selector": selector})
    assert launched["launchPipelineExecution"]["__typename"] == "LaunchRunSuccess", (job, launched)
    return str(launched["launchPipelineExecution"]["run"]["runId"])


def _wait_for(ask: Ask, runs: list[str]) -> None:
    """Wait until all runs have ended, and hold that each ended well."""
    ended: dict[str, Any] = {}

    def look() -> bool:
        for run in runs:
            found = ask(STATUS, run=run)["runOrError"]
            if found["status"] in {"SUCCESS", "FAILURE", "CANCELED"}:
                ended[run] = found
        return len(ended) == len(runs)

    _wait(look)
    assert [
        (run["jobName"], [event for event in run["eventConnection"]["events"] if event])
        for run in ended.values()
        if run["status"] != "SUCCESS"
    ] == []


def _graphql(url: str, query: str, **variables: Any) -> Any:
    try:
        answer = httpx.post(url, json={"query": query, "variables": variables}, timeout=60).json()
    except httpx.TransportError:
        return None
    assert "errors" not in answer, answer["errors"]
    return answer["data"]


def _wait(happened: Callable[[], bool], seconds: float = 900) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(1)
