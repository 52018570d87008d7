"""Erasing in a process of its own, which gets SIGKILL where it comes to a function: no `finally` and no rollback runs.

The processes are forks of one that has imported all, and has no thread, connection or store of the tests' own.
"""

import importlib
import multiprocessing
import os
import signal
from collections.abc import Callable
from typing import Any

from dagster_project.erasure import run
from dagster_project.erasure.requests import Request
from dagster_project.exports.stores.bucket import Bucket
from dagster_project.settings import Settings

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["dagster_project.erasure.rooms", __name__])


def kill_at(step: str, work: Callable[..., object], *given: Any) -> None:
    """Let an erasure be killed.

    Args:
        step: module.function, under dagster_project.
        work: `whole`, or what erases in another source.
        given: what it is given.
    """
    child = _PROCESSES.Process(target=_until, args=(step, dict(os.environ), work, given))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL, f"{step} was not reached: {child.exitcode}"


def whole(url: str, settings: Settings, store: Bucket, request: Request) -> None:
    """Forget somebody, but for what dbt builds."""
    run.finish(url, settings, run.erase(url, settings, store, request))


def _until(step: str, environ: dict[str, str], work: Callable[..., object], given: tuple[Any, ...]) -> None:
    os.environ.update(environ)
    module, _, name = step.rpartition(".")
    killed = importlib.import_module(f"dagster_project.{module}")
    assert hasattr(killed, name)
    setattr(killed, name, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
    work(*given)
