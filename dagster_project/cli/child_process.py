"""A program that runs in a command's place."""

import contextlib
import os
import signal
import subprocess

from dagster_project.settings import PROJECT_ROOT


def run_child(command: list[str]) -> int:
    """Run a program in the foreground; what stops us stops it."""
    child = subprocess.Popen(command, cwd=PROJECT_ROOT, start_new_session=True)
    try:
        return child.wait()
    except (KeyboardInterrupt, SystemExit):
        os.killpg(child.pid, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        return 130
