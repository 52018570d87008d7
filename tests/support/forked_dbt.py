"""dbt for tests, without the seven seconds that each new process of it spends on imports and on parsing the project.

Each call is a fork of one process that has imported dbt and taken up what was parsed of the project, or of the one that
it is a copy of, as builds do: it parses itself only what another file, environment or var changes.
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

from dagster_project.orchestration import single_dbt
from dagster_project.orchestration.builds import parsed_project
from dagster_project.orchestration.dbt_project import DBT_DIR, variables
from dagster_project.settings import Settings
from dagster_project.warehouse import connection

SECONDS = 600  # no call takes so long
PROJECT = "dbt_project.yml"


def run(url: str, *arguments: str, project: Path = DBT_DIR, **more: str) -> subprocess.CompletedProcess[str]:
    """Call dbt on a database.

    Args:
        url: the database.
        arguments: dbt's, without the options that say where the project lies.
        project: its folder.
        more: environment variables beside those of the connection and of our settings.

    Returns:
        its exit code, and as `stdout` all that it printed.
    """
    environment = connection.environment(url)
    target, printed = target_of(url), Path(_folder().name) / "printed"
    command = [
        "--no-use-colors",
        *arguments,
        "--project-dir",
        str(project),
        "--profiles-dir",
        str(project),
        "--target-path",
        str(target),
        "--log-path",
        str(target),
    ]
    # dbt looks through the whole environment for each line that it logs, and nobody reads its file.
    inherited = {name: os.environ[name] for name in ("HOME", "PATH", "LANG", "TMPDIR") if name in os.environ}
    ours = variables(Settings.model_construct())
    environment = inherited | environment | ours | {"DBT_LOG_LEVEL_FILE": "none"} | more
    call = {"command": command, "environment": environment, "printed": str(printed)}
    server = _server()
    server.stdin.write(json.dumps(call) + "\n")
    server.stdin.flush()
    code = int(server.stdout.readline())
    return subprocess.CompletedProcess(command, code, printed.read_text(), "")


def target_of(url: str) -> Path:
    """Where dbt's artifacts of the last call on a database are."""
    return Path(_folder().name) / connection.environment(url)["PGDATABASE"]


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="b2chat-dbt-")


@functools.cache
def _server() -> Any:
    """The process that forks: it ends when its standard input does, with the tests."""
    return subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(DBT_DIR.parent)},
    )


def _serve() -> None:
    answers = os.fdopen(os.dup(1), "w")
    parsed: dict[str, Any] = {}
    gc.set_threshold(50_000)
    parsed_project.fit_any_database()
    for line in sys.stdin:
        call = json.loads(line)
        os.environ.clear()
        os.environ.update(call["environment"])
        printed = os.open(call["printed"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(printed, 1)
        os.dup2(printed, 2)
        os.close(printed)
        what = _what_is_parsed(call["command"], call["environment"])
        if what not in parsed:
            parsed[what] = _parse(call["command"])
        if not (child := os.fork()):
            _dbt(call["command"], parsed[what])
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=answers, flush=True)


def _what_is_parsed(command: list[str], environment: dict[str, str]) -> str:
    """All that decides what parsing gives: the files as they are now, the environment with the database, the vars."""
    project = Path(command[command.index("--project-dir") + 1])
    files = sorted((str(file), file.stat().st_mtime_ns) for file in project.rglob("*.*") if "target" not in file.parts)
    return json.dumps([files, environment, _vars(command)], sort_keys=True)


def _vars(command: list[str]) -> list[str]:
    return command[command.index("--vars") :][:2] if "--vars" in command else []


def _parse(command: list[str]) -> Any:
    """Parse the project, here in the parent: what is forked then need not; None where it does not parse.

    What pytest's start has parsed is taken up.

    Without dbt's parser in Rust: that one's threads would not live on in the forks.
    """
    from dbt.adapters.factory import reset_adapters
    from dbt.cli.main import dbtRunner

    place = command[command.index("--project-dir") :]
    target = Path(command[command.index("--target-path") + 1])
    if (Path(place[1]) / PROJECT).read_bytes() == (DBT_DIR / PROJECT).read_bytes():
        parsed_project.bring(target / parsed_project.FILE, target)
    done = dbtRunner().invoke(["--quiet", "--no-static-parser", "parse", *_vars(command), *place])
    reset_adapters()
    gc.freeze()
    return done.result if done.success else None


def _dbt(command: list[str], manifest: Any) -> NoReturn:
    from dbt.cli.main import dbtRunner

    signal.alarm(SECONDS)
    single_dbt.write_nothing_about_the_project()
    single_dbt.word_no_unwritten_event()
    code = 1
    try:
        done = dbtRunner(manifest=manifest).invoke(command)
        code = 0 if done.success else 2 if done.exception else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # without tidying up what was only borrowed


if __name__ == "__main__":
    _serve()
