"""The systemd units of `deploy/`, run as systemd would: what they say is read from them, so that no test can drift."""

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from dagster_project.settings import PROJECT_ROOT

UNITS = PROJECT_ROOT / "deploy" / "systemd"
WORKSPACE = PROJECT_ROOT / "workspace.code-server.yaml"
_HOME, _MARK = "/opt/b2chat", "B2CHAT_TEST_UNIT"


def values(unit: str, key: str) -> list[str]:
    """What a unit says of a key, with what it shares with the others."""
    text = (UNITS / unit).read_text() + (UNITS / "b2chat-.service.d" / "common.conf").read_text()
    return re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)


def command(unit: str, variables: dict[str, str], workspace: Path) -> list[str]:
    """The command of a unit, of this environment's programs, with a workspace in the place of the unit's."""
    (line,) = values(unit, "ExecStart")
    own = dict(pair.split("=", 1) for line in values(unit, "Environment") for pair in shlex.split(line))
    words = [re.sub(r"\$\{(\w+)\}", lambda name: (own | variables)[name[1]], word) for word in shlex.split(line)]
    programs = str(Path(sys.executable).parent)
    places = {f"{_HOME}/.venv/bin": programs, f"{_HOME}/{WORKSPACE.name}": str(workspace), _HOME: str(PROJECT_ROOT)}
    for place, own_place in places.items():
        words = [word.replace(place, own_place) for word in words]
    return words


class Unit:
    """A unit that runs: started anew where it ends (Restart=always), ended as a whole (its control group)."""

    def __init__(self, name: str, variables: dict[str, str], log: Path, workspace: Path) -> None:
        self.name, self.log, self._stopping = name, log, threading.Event()
        self._mark = f"{name} {log}"
        own = {key: value for key, value in os.environ.items() if not key.startswith(("B2CHAT", "PG", "POSTGRES"))}
        self._env = own | {"B2CHAT_ENV_FILE": os.devnull} | variables | {_MARK: self._mark}
        self._command, self.starts = command(name, variables, workspace), 0
        self._begin()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()

    def text(self) -> str:
        """What it has printed since its first start."""
        return self.log.read_text()

    def kill(self, program: str = "") -> None:
        """Kill -9: all of it, or those processes whose command line holds a word."""
        for pid, line in self._processes():
            if program in line:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        """What `systemctl stop` does; fails where it would have to kill."""
        self._stopping.set()
        self._process.terminate()
        seconds = int(values(self.name, "TimeoutStopSec")[0])
        try:
            self._process.wait(seconds)
        finally:
            left = self._processes()
            self.kill()
            self._keeper.join()
        assert not left, left

    def _begin(self) -> None:
        self.starts += 1
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, env=self._env, cwd=self._env["B2CHAT_DATA_DIR"]
            )

    def _keep(self) -> None:
        while not self._stopping.is_set():
            self._process.wait()
            if not self._stopping.is_set():
                self.kill()
                time.sleep(1)
                self._begin()

    def _processes(self) -> list[tuple[int, str]]:
        found = []
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if folder.name.isdigit() and f"{_MARK}={self._mark}\0".encode() in (folder / "environ").read_bytes():
                    line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    if line:  # a zombie has none
                        found.append((int(folder.name), line))
        return found


@contextlib.contextmanager
def running(variables: dict[str, str], *names: str, workspace: Path = WORKSPACE) -> Iterator[list[Unit]]:
    """Units that run at the same time; stopped at the end, the last first."""
    folder = Path(variables["B2CHAT_DATA_DIR"])
    with contextlib.ExitStack() as stack:
        units = []
        for number, name in enumerate(names):
            unit = Unit(name, variables, folder / f"{number}-{name}.log", workspace)
            stack.callback(unit.stop)
            units.append(unit)
        yield units
