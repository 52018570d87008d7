"""Code server, daemon and web server as the units of deploy/ start them: what they survive, and how they end."""

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import yaml

from tests.support import units
from tests.support.waiting import wait_until

LOCATIONS = ("dagster_project", "dagster_project_again")
START = "mutation($of: ScheduleSelector!) { startSchedule(scheduleSelector: $of) { __typename } }"
RUNS = """
{ runsOrError { ... on Runs { results { runId jobName status
  eventConnection { events { ... on RunFailureEvent { message } } } } } } }
"""
TICKS = """
query($of: ScheduleSelector!) { scheduleOrError(scheduleSelector: $of) { ... on Schedule {
  scheduleState { ticks { timestamp status runIds skipReason } } } } }
"""
UNITS = ["b2chat-code.service", "b2chat-web.service", "b2chat-daemon.service", "b2chat-daemon.service"]


def test_services_tick_once_come_back_when_killed_and_end_with_their_runs(
    database_url: str, new_folder: Callable[[], str], unused_ports: Callable[[], int]
) -> None:
    """Two daemons and two code locations by mistake: the schedule ticks in both, and one run is made of a tick.

    The daemon at work is killed, then the code server with its run; all get SIGTERM.
    """
    port = unused_ports()
    variables = {
        "B2CHAT_SANDBOX": "generated",
        "B2CHAT_SANDBOX_CLOCK": "2026-03-16T05:00:00+00:00",
        "B2CHAT_SANDBOX_DAYS": "3",
        "B2CHAT_SANDBOX_CHATS_PER_DAY": "5",
        "SYNC_INTERVAL": "1",
        "DATABASE_URL": database_url,
        "B2CHAT_DATA_DIR": new_folder(),
        "B2CHAT_UI_PORT": str(port),
        "B2CHAT_CODE_SERVER_PORT": str(unused_ports()),
    }

    def ask(query: str, **values: Any) -> Any:
        answer = httpx.post(f"http://127.0.0.1:{port}/graphql", json={"query": query, "variables": values}, timeout=60)
        return answer.json()["data"]

    def runs() -> dict[str, dict[str, Any]]:
        return {run["runId"]: run for run in ask(RUNS)["runsOrError"]["results"] if run["jobName"] == "refresh_all"}

    def schedule(location: str) -> dict[str, str]:
        return {
            "repositoryLocationName": location,
            "repositoryName": "__repository__",
            "scheduleName": SCHEDULE,
        }

    def ticks_of_runs() -> dict[str, str]:
        """By run, the tick that it was made of; GraphQL does not show that tag."""
        with psycopg.connect(database_url) as conn:
            return dict(conn.execute("select run_id, value from dagster.run_tags where key = %s", [TICK]).fetchall())

    def ticks(at: float) -> list[dict[str, Any]]:
        """What came of a tick in each location."""
        of_all = [ask(TICKS, of=schedule(location))["scheduleOrError"] for location in LOCATIONS]
        return [tick for one in of_all for tick in one["scheduleState"]["ticks"] if tick["timestamp"] == at]

    with units.running(variables, *UNITS, workspace=_twice(Path(variables["B2CHAT_DATA_DIR"]))) as (code, _, *daemons):
        for one in map(schedule, LOCATIONS):
            wait_until(lambda of=one: "ScheduleStateResult" in str(ask(START, of=of)))
        wait_until(lambda: any("stands by" in daemon.text() for daemon in daemons))
        second = next(daemon for daemon in daemons if "stands by" in daemon.text())
        first = next(daemon for daemon in daemons if daemon is not second)
        assert "stands by" not in first.text()
        first.kill("dagster-daemon")
        wait_until(lambda: "takes over" in second.text())
        wait_until(lambda: first.starts == 2 and "stands by" in first.text())
        wait_until(lambda: [run["status"] for run in runs().values()] == ["STARTED"])
        (killed,) = runs()
        at = datetime.fromisoformat(ticks_of_runs()[killed]).timestamp()
        wait_until(lambda: {tick["status"] for tick in ticks(at)} == {"SUCCESS", "SKIPPED"})
        made, skipped = sorted(ticks(at), key=lambda tick: not tick["runIds"])
        assert made["runIds"] == [killed] and killed in skipped["skipReason"]
        code.kill()
        wait_until(lambda: runs()[killed]["status"] == "FAILURE")
        assert "the process that ran it is gone" in str(runs()[killed]).lower()
        wait_until(lambda: code.starts == 2)
        if "LONG_TESTS" in os.environ:  # run retries start it anew, on the code server that is back
            wait_until(lambda: any(run["status"] == "STARTED" for run in runs().values()))
        by_tick = Counter(ticks_of_runs().values())
        assert by_tick and max(by_tick.values()) <= 2  # a run, and its one retry

    with psycopg.connect(database_url, autocommit=True) as conn:
        ended = conn.execute("select status from dagster.runs where pipeline_name = 'refresh_all'").fetchall()
        assert ended and ("STARTED",) not in ended
        others = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        wait_until(lambda: conn.execute(others).fetchone() == (0,))


def _twice(folder: Path) -> Path:
    """A workspace with the project of the code server under two names."""
    workspace = yaml.safe_load(units.WORKSPACE.read_text())
    [one] = workspace["load_from"]
    servers = [{"grpc_server": one["grpc_server"] | {"location_name": name}} for name in LOCATIONS]
    written = folder / "workspace.yaml"
    written.write_text(yaml.safe_dump({"load_from": servers}))
    return written


SCHEDULE, TICK = "refresh_all_schedule", ".dagster/scheduled_execution_time"
SERVICES = [unit.name for unit in sorted(units.UNITS.glob("*.service"))]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not on this machine")
@pytest.mark.parametrize("unit", SERVICES)
def test_a_unit_is_one_that_systemd_takes_and_calls_well_closed(unit: str) -> None:
    done = [
        subprocess.run(
            ["systemd-analyze", *arguments, unit],
            capture_output=True,
            text=True,
            check=False,
            env={"SYSTEMD_UNIT_PATH": f"{units.UNITS}:", "PATH": "/usr/bin:/bin"},
        )
        for arguments in (["verify", "--man=no"], ["security", "--offline=yes"])
    ]
    faults = [line for line in done[0].stderr.splitlines() if "b2chat" in line and "is not executable" not in line]
    assert faults == []
    found = re.search(r"exposure level for \S+: ([\d.]+)", done[1].stdout)
    assert found and float(found[1]) < 2.0


def test_units_keep_secrets_out_of_what_anybody_can_read() -> None:
    for unit in SERVICES:
        assert units.values(unit, "EnvironmentFile") == ["/etc/b2chat/b2chat.env"]
        assert not re.search("PASSWORD|SECRET|KEY|DATABASE_URL", str(units.values(unit, "Environment")))


def test_compose_and_image_have_no_secret_no_root_and_the_commands_of_the_units() -> None:
    compose = yaml.safe_load((units.UNITS.parent / "compose.yaml").read_text())
    for part, unit in (("code", "b2chat-code.service"), ("daemon", "b2chat-daemon.service")):
        closed = compose["services"][part]
        assert (closed["read_only"], closed["cap_drop"], closed["env_file"]) == (True, ["ALL"], "b2chat.env")
        (line,) = units.values(unit, "ExecStart")
        own = line.replace("${B2CHAT_CODE_SERVER_PORT}", "4266").replace("127.0.0.1", "0.0.0.0").split()
        assert closed["command"] == own[1:]
    text = re.sub(r"\\\n\s*", "", (units.UNITS.parent / "Containerfile").read_text())
    steps = [tuple(line.split(" ", 1)) for line in text.splitlines() if line and not line.startswith("#")]
    assert ("USER", "10001") in steps and steps[-1][0] == "CMD"
    bases = {value.split()[0] for name, value in steps if name == "FROM"}
    assert all(re.search(r":\d+\.\d+\.\d+-slim", base) for base in bases) and len(bases) == 1
    copied = {value for name, value in steps if name == "COPY" and "--from" not in value}
    assert not any(".env" in value or value.startswith(". ") for value in copied)
    (web,) = units.values("b2chat-web.service", "ExecStart")
    started = json.loads(steps[-1][1])
    assert [word for word in started if word != "0.0.0.0"] == [
        word for word in web.replace("${B2CHAT_UI_PORT}", "3000").split()[1:] if word != "127.0.0.1"
    ]
