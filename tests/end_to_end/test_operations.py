"""The web server and the daemon as processes of their own, as docs/operations.md starts them."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from dagster_project.settings import PROJECT_ROOT

BIN = Path(sys.executable).parent
SELECTOR = {"repositoryLocationName": "dagster_project", "repositoryName": "__repository__"}
START = "mutation($of: ScheduleSelector!) { startSchedule(scheduleSelector: $of) { __typename } }"
LAUNCH = """
mutation($params: ExecutionParams!) { launchPipelineExecution(executionParams: $params) {
  ... on LaunchRunSuccess { run { runId } } } }
"""
RUNS = """
{ runsOrError { ... on Runs { results { jobName status tags { key value } } } } }
"""


@pytest.mark.parametrize("command", [["dagster-webserver", "-p", "0"], ["dagster-daemon", "run"]])
def test_started_bare_it_says_in_a_line_how_to_start_it(command: list[str]) -> None:
    own = {name: value for name, value in os.environ.items() if not name.startswith("DAGSTER_")}
    done = subprocess.run(
        [BIN / command[0], *command[1:]],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=PROJECT_ROOT,
        env=own | {"DAGSTER_HOME": str(PROJECT_ROOT)},
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.strip().splitlines()[-1].startswith(f"b2chat: {command[0]} does not know the warehouse")
    assert f"`b2chat exec {command[0]} …`" in done.stderr


def test_web_server_and_daemon_run_apart_tick_launch_and_stop(
    database_url: str,
    new_folder: Callable[[], str],
    b2chat_process: Callable[..., AbstractContextManager[subprocess.Popen[bytes]]],
    unused_port: int,
) -> None:
    variables = {
        "B2CHAT_SANDBOX": "generated",
        "B2CHAT_SANDBOX_CLOCK": "2026-03-16T05:00:00+00:00",
        "B2CHAT_SANDBOX_DAYS": "3",
        "B2CHAT_SANDBOX_CHATS_PER_DAY": "5",
        "SYNC_INTERVAL": "1",
        "DATABASE_URL": database_url,
        "B2CHAT_DATA_DIR": new_folder(),
    }

    def ask(query: str, **values: Any) -> Any:
        answer = httpx.post(
            f"http://127.0.0.1:{unused_port}/graphql", json={"query": query, "variables": values}, timeout=60
        )
        return answer.json()["data"]

    def statuses(job: str) -> list[str]:
        return [run["status"] for run in ask(RUNS)["runsOrError"]["results"] if run["jobName"] == job]

    def started_by_schedule() -> bool:
        tags = [tag for run in ask(RUNS)["runsOrError"]["results"] for tag in run["tags"]]
        return {"key": "dagster/schedule_name", "value": "refresh_all_schedule"} in tags

    web = b2chat_process("exec", "dagster-webserver", "-h", "127.0.0.1", "-p", str(unused_port), **variables)
    with b2chat_process("exec", "dagster-daemon", "run", **variables) as daemon, web:
        _wait(lambda: "ScheduleStateResult" in str(ask(START, of=SELECTOR | {"scheduleName": "refresh_all_schedule"})))
        params = {"selector": SELECTOR | {"pipelineName": "clean_up_exports"}, "runConfigData": {}, "mode": "default"}
        assert ask(LAUNCH, params=params)["launchPipelineExecution"]["run"]["runId"]
        _wait(lambda: statuses("clean_up_exports") == ["SUCCESS"])
        _wait(started_by_schedule)
        _wait(lambda: "STARTED" in statuses("refresh_all") or "SUCCESS" in statuses("refresh_all"))
        daemon.terminate()
        daemon.wait(60)
        assert ask(RUNS)  # the UI goes on
    with psycopg.connect(database_url, autocommit=True) as conn:  # nothing of them is left at work on the warehouse
        _wait(
            lambda: (
                conn.execute(
                    "select count(*) from pg_stat_activity "
                    "where datname = current_database() and pid <> pg_backend_pid()"
                ).fetchone()
                == (0,)
            )
        )


def _wait(until: Callable[[], bool], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if until():
                return
        except (httpx.HTTPError, KeyError, TypeError, ValueError):
            pass
        time.sleep(1)
    raise AssertionError("it did not come about in time")
