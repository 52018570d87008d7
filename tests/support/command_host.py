"""Runs `b2chat` commands one after the other in one process: a test of many would spend its time on imports.

Each line of standard input is a JSON list of arguments; each answer is a JSON object on a line. Waits between two tries
are cut to nearly nothing, because they are not what is tested.
"""

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Timer
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(sys.executable).parent / "b2chat"


class Host:
    """Commands in a process of their own; `run` kills it, and fails, where one takes longer than `seconds`."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self._process, self._log = process, log

    def run(self, *arguments: str, seconds: float) -> tuple[int, dict[str, Any]]:
        """Exit code and JSON answer of a command."""
        assert self._process.stdin and self._process.stdout
        print(json.dumps(arguments), file=self._process.stdin, flush=True)
        timer = Timer(seconds, self._process.kill)
        timer.start()
        answer = self._process.stdout.readline()
        timer.cancel()
        assert answer, f"{arguments} did not end in {seconds} s: {self._log.read_text()[-2000:]}"
        told = json.loads(answer)
        assert told["output"], self._log.read_text()[-2000:]
        return told["code"], json.loads(told["output"])


@contextlib.contextmanager
def hosting(folder: str, variables: dict[str, str]) -> Iterator[Host]:
    """A host with these variables beside a bare environment, in a folder of its own."""
    env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with (
        (Path(folder) / "host.log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.command_host"],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**env, "PYTHONPATH": str(ROOT), **variables},
        ) as process,
    ):
        try:
            yield Host(process, Path(folder) / "host.log")
        finally:
            process.kill()


def _serve() -> None:
    import dagster as dg

    dg.RetryPolicy.calculate_delay = lambda *_: 0.0  # type: ignore[method-assign]
    from dagster_project.cli import main as cli
    from dagster_project.sources.b2chat import retries

    retries.MAX_WAIT_SECONDS = 0.02
    answers = sys.stdout
    for line in sys.stdin:
        code, output = 0, io.StringIO()
        sys.argv = ["b2chat", *json.loads(line)]
        with contextlib.redirect_stdout(output):
            try:
                cli.main()
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 1
        told = output.getvalue().strip().rpartition("\n")[2]
        print(json.dumps({"code": code, "output": told}), file=answers, flush=True)


if __name__ == "__main__":
    _serve()
