"""dbt for tests, without the seven seconds that each new process of it spends on imports and on parsing the project.

Each call is a fork of one process that has imported dbt and run it once, and each database name has a target folder
that lives as long as the tests: what the last call on that name parsed, the next one does not parse again.
"""

import functools
import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

from dagster_project.dbt_project import DBT_DIR
from dagster_project.warehouse import connection

SECONDS = 600  # no call takes so long


def run(
    url: str, *arguments: str, project: Path = DBT_DIR, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Call dbt on a database.

    Args:
        url: the database.
        arguments: dbt's, without the options that say where the project lies.
        project: its folder.
        variables: environment variables beside those of the connection.

    Returns:
        its exit code, and as `stdout` all that it printed.
    """
    environment = connection.environment(url)
    folder = Path(_folder().name)
    target, printed = folder / environment["PGDATABASE"], folder / "printed"
    command = [
        "--no-use-colors", *arguments, "--project-dir", str(project), "--profiles-dir", str(project),
        "--target-path", str(target), "--log-path", str(target),
    ]  # fmt: skip
    # dbt looks through the whole environment for each line that it logs, and nobody reads its file.
    inherited = {name: os.environ[name] for name in ("HOME", "PATH", "LANG", "TMPDIR") if name in os.environ}
    environment = inherited | environment | {"DBT_LOG_LEVEL_FILE": "none"} | variables
    call = {"command": command, "environment": environment, "printed": str(printed)}
    server = _server()
    server.stdin.write(json.dumps(call) + "\n")
    server.stdin.flush()
    code = int(server.stdout.readline())
    return subprocess.CompletedProcess(command, code, printed.read_text(), "")


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="b2chat-dbt-")


@functools.cache
def _server() -> Any:
    """The process that forks: it ends when its standard input does, with the tests."""
    return subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(DBT_DIR.parent)})  # fmt: skip


def _serve() -> None:
    answers = os.fdopen(os.dup(1), "w")
    warm = False
    for line in sys.stdin:
        call = json.loads(line)
        os.environ.clear()
        os.environ.update(call["environment"])
        printed = os.open(call["printed"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(printed, 1)
        os.dup2(printed, 2)
        os.close(printed)
        if not warm:
            _warm_up(call["command"])
            warm = True
        if not (child := os.fork()):
            _dbt(call["command"])
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=answers, flush=True)


def _dbt(command: list[str]) -> NoReturn:
    from dbt.cli.main import cli

    signal.alarm(SECONDS)
    code = 1
    try:
        cli(command)
    except SystemExit as done:
        code = done.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # without tidying up what was only borrowed


def _warm_up(command: list[str]) -> None:
    """Parse the project where the first call will find it: dbt writes much of its own code when it first runs.

    Without its parser in Rust: that one's threads would not live on in the forks.
    """
    from dbt.adapters.factory import reset_adapters
    from dbt.cli.main import dbtRunner

    dbtRunner().invoke(["--quiet", "--no-static-parser", "parse", *command[command.index("--project-dir") :]])
    reset_adapters()
    gc.freeze()


if __name__ == "__main__":
    _serve()
