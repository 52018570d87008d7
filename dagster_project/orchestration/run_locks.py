"""Which runs are alive: each holds a lock while its process lives, and Postgres frees it when that process ends.

Dagster alone cannot tell that a process was killed: its run would stay "started" for hours, keep its slot in a pool,
and every later run would wait for it. A run that waits for a slot looks after the runs before it, so no daemon is
needed for that.
"""

import logging
import time

import dagster as dg
import psycopg

from dagster_project.warehouse import connection, locks
from dagster_project.warehouse.locks import WAITING_LOGGER

# A retry, and a run that is executed again in the UI, take over the tags of the first: the value is the run's own id.
TAG = "b2chat/holds_lock"
_KIND = "run"  # of the lock
KILLED = "The process that ran it is gone: it was killed, or lost the warehouse."
_UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_PAUSE = 1.0  # seconds between two tries for a slot

log = logging.getLogger(WAITING_LOGGER)
_held: dict[str, psycopg.Connection] = {}
_logged: set[tuple[str, str]] = set()


def hold(run_id: str) -> None:
    """Hold a run's lock, until `release` or the end of this process."""
    if run_id not in _held:
        conn = connection.connect(autocommit=True)
        locks.take(conn, _KIND, run_id)
        _held[run_id] = conn


def release(run_id: str) -> None:
    """Let a run's lock go, if this process holds it."""
    if conn := _held.pop(run_id, None):
        conn.close()


def fail_abandoned(conn: psycopg.Connection, instance: dg.DagsterInstance) -> list[str]:
    """Mark runs as failed that are not finished and whose process is gone, and free the pools' slots of the dead.

    Returns:
        the ids of the runs that were marked.
    """
    unfinished = instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED))
    tagged = {run.run_id for run in unfinished if run.tags.get(TAG) == run.run_id}
    with_slots = instance.event_log_storage.get_concurrency_run_ids() - {run.run_id for run in unfinished}
    with conn.transaction():
        dead = locks.free(conn, _KIND, sorted(tagged | {one for one in with_slots if _has_ended(instance, one)}))
    marked = [run_id for run_id in dead if not _has_ended(instance, run_id)]
    for run in unfinished:
        if run.run_id in marked:
            instance.report_run_failed(run, KILLED)
    for run_id in dead:
        instance.event_log_storage.free_concurrency_slots_for_run(run_id)
    return marked


def is_alive(run: dg.DagsterRun) -> bool:
    """Whether the process of a started run lives; True also of a run that never held a lock, of which nobody knows."""
    if run.tags.get(TAG) != run.run_id:
        return True
    with connection.connect(autocommit=True) as conn:
        return locks.holder(conn, _KIND, run.run_id) is not None


def wait_for_slot(instance: dg.DagsterInstance, pool: str, run_id: str) -> None:
    """Wait a moment for a slot in a pool: say once for whom, and free the slots of the dead.

    Raises:
        DagsterExecutionInterruptedError: the process got SIGINT or SIGTERM.
    """
    with dg.raise_execution_interrupts():
        with connection.connect(autocommit=True) as conn:
            fail_abandoned(conn, instance)
        for holder in _holders(instance, pool) - {run_id}:
            if (run_id, holder) not in _logged:
                _logged.add((run_id, holder))
                log.warning("waiting for %s: it is in the pool %s", _described(instance, holder), pool)
        time.sleep(_PAUSE)


def _has_ended(instance: dg.DagsterInstance, run_id: str) -> bool:
    run = instance.get_run_by_id(run_id)
    return run is None or run.is_finished


def _holders(instance: dg.DagsterInstance, pool: str) -> set[str]:
    """The runs that are in a pool, or whose turn it is."""
    found = instance.event_log_storage.get_concurrency_info(pool)
    return {slot.run_id for slot in found.claimed_slots} | {
        step.run_id for step in found.pending_steps if step.assigned_timestamp
    }


def _described(instance: dg.DagsterInstance, run_id: str) -> str:
    record = instance.get_run_record_by_id(run_id)
    if not record:
        return f"run {run_id}"
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(record.start_time or record.create_timestamp.timestamp()))
    return f"run {run_id} ({record.dagster_run.job_name}, since {since} UTC)"
