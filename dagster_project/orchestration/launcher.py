"""Launches runs as Dagster does, and tells its monitoring which of them are dead: their process holds no lock.

Dagster's own launcher cannot tell: where the code server was killed with its runs, they would stay "started" for hours.
"""

import dagster as dg
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus

from dagster_project.orchestration import run_locks


class WatchedRunLauncher(dg.DefaultRunLauncher):
    """The launcher of `dagster.yaml`."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Whether `run_monitoring` asks for each started run if it lives."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether the process of a run that has started still lives."""
        if run_locks.is_alive(run):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, run_locks.KILLED)
