"""Real processes, killed as the system kills them: nobody waits for the dead, and who waits can be stopped."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.command_host import PROGRAM
from tests.support.listed import CLIENT_ID, SECRET, ListedSource, chat, contact, serving

Start = Callable[..., Any]
SLOT = "select run_id from dagster.concurrency_slots where run_id is not null"


@pytest.fixture
def start(new_folder: Callable[[], str]) -> Iterator[Start]:
    """Starts the command line in a process group of its own; what it prints is in `printed`. Kills it at the end."""
    groups: list[int] = []

    def begin(*arguments: str, **variables: str) -> Any:
        folder = new_folder()
        printed = Path(folder) / "printed"
        with printed.open("w") as out:
            process: Any = subprocess.Popen(
                [PROGRAM, *arguments],
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=folder,
                env=os.environ | {"B2CHAT_DATA_DIR": folder} | variables,
            )
        process.printed = printed
        groups.append(process.pid)
        return process

    yield begin
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never answers: who asks there stays at work."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        yield int(server.getsockname()[1])


def account(url: str, port: int | None = None, base: str = "") -> dict[str, str]:
    return {
        "DATABASE_URL": url,
        "B2CHAT_API_URL": base or f"http://127.0.0.1:{port}",
        "B2CHAT_CLIENT_ID": CLIENT_ID,
        "B2CHAT_CLIENT_SECRET": SECRET,
        "B2CHAT_START_DATE": "2025-10-01",
        "B2CHAT_SANDBOX_CLOCK": "2025-10-02T12:00:00-05:00",
    }


def until(what: Callable[[], Any], seconds: float = 90) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            if found := what():
                return found
        time.sleep(0.2)
    raise AssertionError("it did not come")


def ask(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as conn:
        return conn.execute(query).fetchall()  # type: ignore[arg-type]


def processes() -> list[list[str]]:
    """Process id, parent, group and command of all that is not just waiting to be buried."""
    listed = subprocess.run(
        ["ps", "-Ao", "pid=,ppid=,pgid=,stat=,command="], capture_output=True, text=True, check=True
    )
    return [line.split(None, 4) for line in listed.stdout.splitlines() if line.split()[3][0] != "Z"]


def children(pid: int) -> list[int]:
    return [int(one[0]) for one in processes() if int(one[1]) == pid]


def members(group: int) -> list[list[str]]:
    return [one for one in processes() if int(one[2]) == group]


def test_a_killed_run_of_dagster_keeps_no_slot_and_who_waits_for_a_living_one_says_so_and_can_be_stopped(
    start: Start, database_url: str, silent_port: int
) -> None:
    # As the UI's run worker does, Dagster executes this run; our command line knows nothing of it.
    of_dagster = start(
        "exec",
        "dagster",
        "job",
        "execute",
        "-m",
        "dagster_project.definitions",
        "-j",
        "sync_b2chat",
        **account(database_url, silent_port),
    )
    [[run_id]] = until(lambda: ask(database_url, SLOT))

    for stop in (signal.SIGTERM, signal.SIGINT):
        waiting = start("sync", "--json", **account(database_url, silent_port))
        until(lambda waiting=waiting: run_id in waiting.printed.read_text())
        assert "waiting for run" in waiting.printed.read_text()
        waiting.send_signal(stop)
        assert waiting.wait(10) != 0
        until(lambda waiting=waiting: not members(waiting.pid), 5)
    assert ask(database_url, SLOT) == [(run_id,)]

    [dagster] = children(of_dagster.pid)
    os.kill(dagster, signal.SIGKILL)
    with serving(ListedSource([chat("a")], [contact(1)])) as sandbox:
        after = start("sync", **account(database_url, base=sandbox.base_url))
        assert after.wait(90) == 0, after.printed.read_text()
    assert ask(database_url, SLOT) == []
    assert ask(database_url, f"select status from dagster.runs where run_id = '{run_id}'") == [("FAILURE",)]
    assert ask(database_url, "select count(*) from raw.b2chat_chats") == [(1,)]


def test_a_sync_at_work_that_is_stopped_ends_and_is_not_tried_again(
    start: Start, database_url: str, silent_port: int
) -> None:
    for stop in (signal.SIGTERM, signal.SIGINT):
        at_work = start("sync", "--json", **account(database_url, silent_port))
        until(lambda: ask(database_url, SLOT))
        time.sleep(2)
        at_work.send_signal(stop)
        assert at_work.wait(20) != 0  # the first retry would come after half a minute
        until(lambda at_work=at_work: not members(at_work.pid), 5)


def test_of_two_syncs_at_once_the_second_waits_for_the_first_and_both_succeed(start: Start, database_url: str) -> None:
    source = ListedSource([chat(f"c{n}") for n in range(12)], [contact(1)])
    source.before_answer = lambda: time.sleep(0.5)
    with serving(source) as sandbox:
        both = []
        for _ in range(2):
            both.append(start("sync", "--json", B2CHAT_PAGE_SIZE="1", **account(database_url, base=sandbox.base_url)))
            until(lambda: ask(database_url, SLOT))
        for one in both:
            assert one.wait(120) == 0, one.printed.read_text()
    assert "waiting for run" in both[1].printed.read_text()


def test_a_second_build_waits_for_the_first_and_a_killed_one_leaves_no_dbt_behind(
    start: Start, database_url: str
) -> None:
    builds = "select application_name from pg_stat_activity where application_name like 'b2chat build, process %'"
    at_work = "select count(*) from pg_stat_activity where application_name = 'b2chat-dbt' and state = 'active'"
    with psycopg.connect(database_url) as blocker:
        blocker.execute("lock table raw.b2chat_chats in access exclusive mode")  # so that dbt stays at work
        first = start("build", DATABASE_URL=database_url)
        [[name]] = until(lambda: ask(database_url, builds))
        until(lambda: ask(database_url, at_work) != [(0,)])
        second = start("build", "--json", DATABASE_URL=database_url)
        of_a_user = start(
            "exec", "dbt", "run", "--project-dir", "dbt", "--profiles-dir", "dbt", DATABASE_URL=database_url
        )
        for waiting in (second, of_a_user):
            until(lambda waiting=waiting: f"waiting for {name}" in waiting.printed.read_text())
        of_a_user.send_signal(signal.SIGTERM)
        assert of_a_user.wait(30) != 0

        first.kill()
        until(lambda: not members(first.pid), 15)
        until(lambda: ask(database_url, builds) not in ([], [(name,)]), 30)
        until(lambda: ask(database_url, at_work) != [(0,)])
        second.send_signal(signal.SIGTERM)
        assert second.wait(30) != 0
        until(lambda: not members(second.pid), 5)
        assert ask(database_url, at_work) == [(0,)]
