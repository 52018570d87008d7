"""Runs `b2chat` commands one after the other in one process: a test of many would spend its time on imports.

Each line of standard input is a JSON object, the command's words and its variables; each answer is a JSON object on a
line. Waits between two tries are cut to nearly nothing, because they are not what is tested.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(sys.executable).parent / "b2chat"


@dataclass(frozen=True)
class Done:
    """How a command ended: its exit code, and what it and its children wrote."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> dict[str, Any]:
        """What it printed for programs (`--json`)."""
        printed: dict[str, Any] = json.loads(self.out.strip().rpartition("\n")[2])
        return printed


class Host:
    """Commands in a process of their own; `run` kills it, and fails, where one takes longer than `seconds`."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self._process, self._log = process, log

    def run(self, *words: str, seconds: float = 600, **variables: str) -> Done:
        """Run a command, with variables beside those of the host."""
        assert self._process.stdin and self._process.stdout
        print(json.dumps({"words": words, "variables": variables}), file=self._process.stdin, flush=True)
        timer = Timer(seconds, self._process.kill)
        timer.start()
        line = self._process.stdout.readline()
        timer.cancel()
        assert line, f"{words} did not end in {seconds} s: {self._log.read_text()[-2000:]}"
        return Done(**json.loads(line))


@contextlib.contextmanager
def hosting(folder: str, variables: dict[str, str]) -> Iterator[Host]:
    """A host with these variables beside a bare environment, in a folder of its own."""
    env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with (
        tempfile.NamedTemporaryFile("w", prefix="b2chat-host-") as log,
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.command_host"],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**env, "B2CHAT_ENV_FILE": os.devnull, "COLUMNS": "120", "PYTHONPATH": str(ROOT), **variables},
        ) as process,
    ):
        try:
            yield Host(process, Path(log.name))
        finally:
            process.kill()


def _serve() -> None:
    import dagster as dg

    dg.RetryPolicy.calculate_delay = lambda *_: 0.0  # type: ignore[method-assign]
    from dagster_project.cli import main as cli
    from dagster_project.cli.command_line import console
    from dagster_project.sources.b2chat import retries

    retries.MAX_WAIT_SECONDS = 0.02
    # What the commands' children read and write is none of ours.
    asked, answers, log = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w"), os.dup(2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    start = dict(os.environ)
    for line in asked:
        call = json.loads(line)
        os.environ.clear()
        os.environ.update(start | call["variables"])
        console.width = int(os.environ["COLUMNS"])
        sys.argv = ["b2chat", *call["words"]]
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            os.dup2(out.fileno(), 1), os.dup2(err.fileno(), 2)
            code = _code_of(cli.main)
            sys.stdout.flush(), sys.stderr.flush()
            os.dup2(log, 1), os.dup2(log, 2)
            out.seek(0), err.seek(0)
            print(json.dumps({"code": code, "out": out.read(), "err": err.read()}), file=answers, flush=True)


def _code_of(main: Any) -> int:
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    return 0


if __name__ == "__main__":
    _serve()
