"""Runs that a command line started in its own process: known to be alive by the lock that each holds.

Dagster cannot tell that such a process was killed: its run would stay "started" for hours, keep its place in a pool,
and every later run would wait for it.
"""

import contextlib
from collections.abc import Iterator

import dagster as dg
import psycopg

from dagster_project.warehouse import connection, locks

TAG = "b2chat/in_process"
_KIND = "run"  # of the lock
_KILLED = "The process that ran it is gone: it was killed, or lost the warehouse."
_UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]  # fmt: skip


@contextlib.contextmanager
def held(url: str, run_id: str) -> Iterator[None]:
    """Hold a run's lock while this lasts; take it before the run is made, with the tag TAG."""
    with connection.connect(url, autocommit=True) as conn:
        locks.take(conn, _KIND, run_id)
        yield


def close_killed(conn: psycopg.Connection, instance: dg.DagsterInstance) -> list[str]:
    """Mark as failed each tagged run that is not finished and whose lock is free; returns their ids."""
    runs = {run.run_id: run for run in instance.get_runs(dg.RunsFilter(tags={TAG: "yes"}, statuses=_UNFINISHED))}
    with conn.transaction():
        killed = locks.free(conn, _KIND, list(runs))
    for run_id in killed:
        instance.report_run_failed(runs[run_id], _KILLED)
        instance.event_log_storage.free_concurrency_slots_for_run(run_id)
    return killed
