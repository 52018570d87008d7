"""Counts connections while the main job runs beside a webserver and a daemon: `python benchmarks/connections.py`.

README.md beside it says what is counted, and against what.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
from common import ROOT, with_project

# As docs/operations.md states them; a code server stands in the share of whoever started it. What is not the
# webserver's is the daemon's, or the run's that the daemon's code server starts.
BUDGET = {"webserver": 9, "daemon and run": 10 + 11}
SECONDS_BETWEEN_SAMPLES = 0.2
LAUNCH = """
    mutation {
        launchRun(executionParams: {
            mode: "default"
            selector: {
                jobName: "refresh_all", repositoryName: "__repository__", repositoryLocationName: "dagster_project"
            }
        }) { __typename ... on LaunchRunSuccess { run { runId } } }
    }
"""
ENDED = {"SUCCESS", "FAILURE", "CANCELED"}


def main() -> None:
    """Run it and print the most of each part; exit code 1 when one is over its budget, or the run fails."""
    options = _options()
    folder = Path(tempfile.mkdtemp(prefix="b2chat-connections-", dir="/tmp"))
    folder.chmod(0o755)  # Postgres runs as another user where we are root
    try:
        most, by_name, status = _measure(folder, options.port)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps({"most": most, "budget": BUDGET, "by_application_name": by_name, "run": status}, indent=2))
    over = [part for part, budget in BUDGET.items() if most.get(part, 0) > budget]
    if over or status != "SUCCESS":
        sys.exit(f"run: {status}; over the budget: {', '.join(over) or 'none'}")


def _measure(folder: Path, port: int) -> tuple[dict[str, int], dict[str, int], str]:
    from dagster_project.warehouse import embedded  # noqa: PLC0415  the project's folder is on the path by now

    ours = {name: value for name, value in os.environ.items() if not name.startswith(("B2CHAT_", "PG", "DATABASE_"))}
    environment = with_project(ours) | {
        "B2CHAT_DATA_DIR": str(folder / "data"),
        "B2CHAT_ENV_FILE": os.devnull,
        "B2CHAT_SANDBOX": "generated",
        "B2CHAT_SANDBOX_DAYS": "15",
        "B2CHAT_SANDBOX_CHATS_PER_DAY": "20",
    }
    (folder / "data").mkdir()
    with ExitStack() as stack:
        server = stack.enter_context(embedded.running(folder / "data" / "pg"))
        web = stack.enter_context(_program(environment, "dagster-webserver", "-h", "127.0.0.1", "-p", str(port)))
        http = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=400))
        _wait_for(http)
        stack.enter_context(_program(environment, "dagster-daemon", "run"))
        run = _launch(http)
        conn = stack.enter_context(psycopg.connect(server, autocommit=True))
        return _watch(conn, http, run, web)


def _watch(
    conn: psycopg.Connection, http: httpx.Client, run: str, web: int
) -> tuple[dict[str, int], dict[str, int], str]:
    """The most connections of each part at a time, and of each application_name in it, until the run ends."""
    most, by_name, status, asked = Counter[str](), Counter[str](), "", 0.0
    while status not in ENDED:
        of_web = _ports(web)
        rows = conn.execute("""
            select client_port, application_name from pg_stat_activity
            where backend_type = 'client backend' and pid <> pg_backend_pid()
        """).fetchall()
        named = [("webserver" if port in of_web else "daemon and run", name) for port, name in rows]
        most |= Counter(part for part, _ in named)
        by_name |= Counter(f"{part}: {name or '(none)'}" for part, name in named)
        if time.monotonic() - asked > 2:  # the question is the webserver's work, too, as a browser's would be
            status = _ask(http, f'{{ runOrError(runId: "{run}") {{ ... on Run {{ status }} }} }}')["runOrError"][
                "status"
            ]
            asked = time.monotonic()
        time.sleep(SECONDS_BETWEEN_SAMPLES)
    return dict(most), dict(by_name.most_common()), status


def _ports(program: int) -> set[int]:
    """The local ports that a program, and all that it started, holds."""
    found = set[int]()
    with suppress(psutil.NoSuchProcess):
        for process in [psutil.Process(program), *psutil.Process(program).children(recursive=True)]:
            with suppress(psutil.Error):
                found |= {one.laddr.port for one in process.net_connections("tcp") if one.laddr}
    return found


@contextmanager
def _program(environment: dict[str, str], *command: str) -> Iterator[int]:
    """A program that runs as docs/operations.md says; its process id."""
    b2chat = [sys.executable, "-c", "from dagster_project.cli.main import main; main()"]
    process = subprocess.Popen(
        [*b2chat, "exec", str(Path(sys.executable).parent / command[0]), *command[1:]],
        env=environment,
        cwd=ROOT,
        stdout=sys.stderr,
        start_new_session=True,
    )
    try:
        yield process.pid
    finally:
        os.killpg(process.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(30)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _launch(http: httpx.Client) -> str:
    """The id of a run of the main job. On a busy machine its code takes minutes to load, and is asked for again."""
    for _ in range(60):
        told = _ask(http, LAUNCH)["launchRun"]
        if "run" in told:
            return str(told["run"]["runId"])
        _ask(http, 'mutation { reloadRepositoryLocation(repositoryLocationName: "dagster_project") { __typename } }')
        time.sleep(5)
    sys.exit(f"the run was not launched: {told['__typename']}")


def _ask(http: httpx.Client, query: str) -> dict[str, Any]:
    answer = http.post("/graphql", json={"query": query}).raise_for_status().json()
    data: dict[str, Any] = answer["data"]
    return data


def _wait_for(http: httpx.Client) -> None:
    for _ in range(300):
        with suppress(httpx.HTTPError):
            http.get("/server_info").raise_for_status()
            return
        time.sleep(1)
    sys.exit("the webserver does not answer")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Count connections while the main job runs.")
    parser.add_argument("--port", type=int, default=3917, help="of the webserver (default: 3917)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
