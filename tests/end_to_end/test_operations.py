"""The web server and the daemon, started without `b2chat exec`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dagster_project.settings import PROJECT_ROOT

BIN = Path(sys.executable).parent


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
