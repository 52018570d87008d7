"""`b2chat-dbt`: dbt as our builds call it, never two at once on one warehouse, and none without whoever started it.

The lock is held by dbt's own process, so it tells the truth also where the process that started it was killed.
"""

import contextlib
import gc
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from dagster_project.orchestration.builds import parsed_project
from dagster_project.settings import PROJECT_ROOT, Settings, variable_name
from dagster_project.warehouse import connection, locks
from dagster_project.warehouse.access import program_logins, roles
from dagster_project.warehouse.locks import WAITING_LOGGER

_BUILD = ("dbt build", "warehouse")  # the lock's name
_WRITES = {"build", "run", "seed", "snapshot"}
READ_BY_MODELS = ("timezone", "activity_minutes", "stale_days", "citus")  # settings
# What dbt's process is handed of its parent's environment beside its connection.
_HANDED_ON = {
    *("HOME", "PATH", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TERM", "COLUMNS", "NO_COLOR", "USER", "LOGNAME"),
    *("VIRTUAL_ENV", "LD_LIBRARY_PATH", "DAGSTER_DBT_CLI"),
    *(variable_name(name) for name in READ_BY_MODELS),
}
_PREFIXES = ("DBT_", "PYTHON", "LC_")
_AHEAD = "--ahead-of-its-command"  # the only argument of a dbt that is told by its input what to do
_PAUSE = 1.0  # seconds between two looks
_GRACE = 5.0  # seconds that dbt has to cancel its queries, until it is asked again
_TIMES = 4  # it is asked to end; then it is ended

log = logging.getLogger(WAITING_LOGGER)

_asked_to_end = threading.Event()
_ahead: list[subprocess.Popen[bytes]] = []


def main() -> None:
    """Wait for the lock, then be dbt; where it was started ahead, import it first and wait for what it is to do."""
    # Started in the background a process ignores Ctrl-C, and with it what Dagster, or the thread below, asks of dbt.
    signal.signal(signal.SIGINT, _interrupted)
    threading.Thread(target=_end_with, args=[os.getppid()], daemon=True).start()
    gc.set_threshold(50_000)  # what dbt parses stays, and the collector walked it again and again: 0.5 s of 3
    if sys.argv[1:2] == [_AHEAD]:
        _wait_for_command()
    # What is killed outright cannot cancel its queries: Postgres ends them when it sees that nobody listens.
    # A server that compiles queries would take seconds over the one that asks all tests of views, to run it once.
    options = [os.environ.get("PGOPTIONS", ""), "-c client_connection_check_interval=2000 -c jit=off"]
    wait_for_turn()
    with connection.connect(autocommit=True) as conn:
        name = f"b2chat build, process {os.getpid()} on {socket.gethostname()[:24]}"
        conn.execute("select set_config('application_name', %s, false)", [name])
        locks.take(conn, *_BUILD)
        os.environ["PGOPTIONS"] = " ".join(options).strip()
        from dbt.cli.main import cli  # noqa: PLC0415  seconds, while another build may be at work

        _quote_no_rows()
        parsed_project.fit_any_database()
        word_no_unwritten_event()
        if "DAGSTER_DBT_CLI" in os.environ:
            write_nothing_about_the_project()
        cli()


def start_ahead(parsed: Path) -> None:
    """Start a process of dbt's that imports dbt on another core, while this one imports Dagster; it waits for `start`,
    and ends with us where that does not come.

    Args:
        parsed: what the last build parsed.
    """
    command = [str(Path(sys.executable).parent / "b2chat-dbt"), _AHEAD, str(parsed)]
    environ = _kept(os.environ) | {"PYTHONUNBUFFERED": "1"}  # as dagster-dbt has it, which Python reads when it starts
    _ahead.append(_popen(command, environ, PROJECT_ROOT / "dbt", stdin=subprocess.PIPE))


def start(command: Sequence[str], environ: Mapping[str, str], folder: Path) -> subprocess.Popen[bytes]:
    """Start dbt with an environment, or let the process do it that was started ahead."""
    if not _ahead or Path(command[0]).name != "b2chat-dbt":
        return _popen(command, environ, folder)
    process = _ahead.pop()
    assert process.stdin
    try:
        with process.stdin:
            process.stdin.write(json.dumps([list(command), dict(environ)]).encode())
    except BrokenPipeError:  # it was killed
        return _popen(command, environ, folder)
    process.stdin, process.args = None, command
    return process


def wait_for_turn() -> None:
    """Wait until no build is at work, and say for whom."""
    told = None
    with connection.connect(autocommit=True) as conn:
        while holder := locks.holder(conn, *_BUILD):
            if holder != told:
                since = f", since {holder[1]:%F %T} UTC" if holder[1] else ""  # not shown of another login's session
                log.warning("waiting for %s%s: one build at a time", holder[0], since)
                told = holder
            time.sleep(_PAUSE)


def hand_over() -> None:
    """Let dbt own what it makes, or no longer, as the settings have it: what a start of `b2chat-dbt` takes for done."""
    with connection.connect(autocommit=True) as conn:
        roles.hand_over(conn, separate=Settings.load().separate_roles)


def word_no_unwritten_event() -> None:
    """Let dbt, in this process, pass over events for debugging that no log takes: each costs as much as one that is
    shown, and there are ten for each statement."""
    from dbt_common.events.base_types import EventLevel  # noqa: PLC0415  dbt's
    from dbt_common.events.event_manager import EventManager  # noqa: PLC0415

    fire, details = EventManager.fire_event, {EventLevel.DEBUG, EventLevel.TEST}

    def fire_what_is_written(self: Any, event: Any, level: Any = None, *more: Any, **options: Any) -> None:
        is_written = self.callbacks or any(one.level in details for one in self.loggers)
        if is_written or (level or event.level_tag()) not in details:
            fire(self, event, level, *more, **options)

    EventManager.fire_event = fire_what_is_written  # type: ignore[assignment, method-assign]


def write_nothing_about_the_project() -> None:
    """Let dbt, in this process, write results alone: no manifest, no graph and no summary of the graph.

    Of a run of Dagster's nobody reads them, and dbt turns all nodes into dicts for each, for the summary twice.
    """
    from dbt.compilation import Linker  # noqa: PLC0415  dbt's
    from dbt.parser import manifest  # noqa: PLC0415
    from dbt.task import runnable  # noqa: PLC0415

    for module in (manifest, runnable):
        module.write_manifest = lambda *_, **__: None  # type: ignore[attr-defined]
    Linker.write_graph = lambda *_: None  # type: ignore[method-assign]
    Linker.get_graph_summary = lambda *_: {}  # type: ignore[method-assign]


def environment(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a process of dbt finds in its environment: the address of its own login, and no other secret.

    A model can read all of it, by dbt's env_var.

    Args:
        given: what it would have without this, by default this process's; of that what is listed, and DBT_…, goes on.
    """
    kept = _kept(os.environ if given is None else given)
    if url := os.environ.get("DATABASE_URL"):
        kept |= connection.environment(program_logins.url_of(Settings.load(), url, roles.DBT))
        del kept["DAGSTER_PG_URL"]
    return kept


def _popen(command: Sequence[str], environ: Mapping[str, str], folder: Path, **more: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environ, cwd=folder, **more)


def _kept(given: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in given.items() if name in _HANDED_ON or name.startswith(_PREFIXES)}


def as_builds_do(command: list[str]) -> list[str]:
    """A command, of dbt that writes to the warehouse as our builds call it."""
    return ["b2chat-dbt", *command[1:]] if command[0] == "dbt" and _WRITES & set(command[1:]) else command


def without_values(error: str) -> str:
    """Postgres' words on an error without what it quotes of the data: whole rows, keys, values that are none."""
    told = re.sub(r"\n(?:DETAIL|CONTEXT):.*?(?=\n(?:DETAIL|CONTEXT|HINT|LINE \d+)\b|\Z)", "", error, flags=re.DOTALL)
    return re.sub(
        r'(invalid [^\n"]*|out of range): ".*?"(?=\n|\Z)', r"\1: a value that is not shown", told, flags=re.DOTALL
    )


def _quote_no_rows() -> None:
    """dbt prints and logs Postgres' errors, and Dagster keeps them: they must not hold what customers said."""
    import psycopg2  # noqa: PLC0415  dbt's
    from dbt.adapters.postgres.connections import PostgresConnectionManager  # noqa: PLC0415

    handler: Any = PostgresConnectionManager.exception_handler

    @contextlib.contextmanager
    def without_rows(self: Any, sql: str) -> Iterator[None]:
        with handler(self, sql):
            try:
                yield
            except psycopg2.DatabaseError as error:
                raise type(error)(without_values(str(error))) from None

    PostgresConnectionManager.exception_handler = without_rows  # type: ignore[method-assign]


def _wait_for_command() -> None:
    """Import dbt and read what is parsed, then take over the command and the environment that the input says."""
    import dbt.adapters.postgres  # noqa: PLC0415  seconds
    import dbt.cli.main  # noqa: PLC0415
    import dbt.parser.manifest  # noqa: PLC0415
    import dbt.task.build  # noqa: PLC0415, F401

    parsed_project.read_ahead(Path(sys.argv[2]))
    if not (told := sys.stdin.buffer.read()):
        sys.exit()  # there was nothing to do
    command, environ = json.loads(told)
    sys.argv[1:] = command[1:]
    os.environ.clear()
    os.environ.update(environ)


def _interrupted(number: int, frame: FrameType | None) -> None:
    _asked_to_end.set()
    signal.default_int_handler(number, frame)


def _end_with(parent: int) -> None:
    """Stop dbt when the process that started it is gone; and see to it that dbt stops once it was asked to.

    dbt takes an interrupt that comes between its parsing and its first model for a fault of what it does then, and
    goes on.
    """
    while os.getppid() == parent and not _asked_to_end.wait(_PAUSE):
        pass
    for _ in range(_TIMES):
        if _asked_to_end.is_set():
            time.sleep(_GRACE)
        with contextlib.suppress(ProcessLookupError):
            os.kill(os.getpid(), signal.SIGINT)
    time.sleep(_GRACE)
    os._exit(1)
