"""A program that runs in a command's place."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping

from dagster_project.settings import PROJECT_ROOT


def run_child(command: list[str], environ: Mapping[str, str] | None = None) -> int:
    """Run a program in the foreground, with an environment of its own where one is given; what stops us stops it."""
    # A shell that starts us in the background has Ctrl-C ignored, and the program would be deaf to what stops it below.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    child = subprocess.Popen(command, cwd=PROJECT_ROOT, start_new_session=True, env=environ)
    signal.signal(signal.SIGINT, before)
    try:
        return child.wait()
    except (KeyboardInterrupt, SystemExit):
        os.killpg(child.pid, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        return 130
