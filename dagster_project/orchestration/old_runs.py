"""Runs of Dagster that are over leave as other logs do: their events, results of checks, what their steps printed.

A build writes up to 2,500 events and 500 results, 6 MB, and a schedule may start one every 15 minutes. The run that
says last what an asset or a check was stays, whatever its age.
"""

from datetime import UTC, datetime, timedelta

import dagster as dg
import psycopg

from dagster_project.warehouse.connection import has_relation

_AT_ONCE = 100  # runs; results of checks have no index by run
_OVER = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_SAY_LAST = """
    select newest.run_id
    from dagster.asset_keys as assets
    cross join lateral (
        select run_id from dagster.event_logs as events
        where events.asset_key = assets.asset_key and dagster_event_type = 'ASSET_MATERIALIZATION'
        order by id desc limit 1
    ) as newest
    union
    select run_id from (
        select distinct on (asset_key, check_name) run_id from dagster.asset_check_executions
        where execution_status in ('SUCCEEDED', 'FAILED')
        order by asset_key, check_name, id desc
    ) as newest
"""


def drop(instance: dg.DagsterInstance, conn: psycopg.Connection, days: int) -> int:
    """Delete the runs that began so many days ago and are over. Returns how many.

    A run's row goes last, so that what a killed one leaves is found by the next.

    Args:
        conn: of the database in whose schema `dagster` the instance keeps its runs; in autocommit.
    """
    if not has_relation(conn, "dagster.asset_check_executions"):
        return 0
    stay = {run_id for (run_id,) in conn.execute(_SAY_LAST).fetchall()}
    old = dg.RunsFilter(statuses=_OVER, created_before=datetime.now(UTC) - timedelta(days=days))
    gone = [run_id for run_id in instance.get_run_ids(old) if run_id not in stay]
    for first in range(0, len(gone), _AT_ONCE):
        runs = gone[first : first + _AT_ONCE]
        conn.execute("delete from dagster.asset_check_executions where run_id = any(%s)", [runs])
        for run_id in runs:
            instance.event_log_storage.delete_events(run_id)
            instance.compute_log_manager.delete_logs(prefix=[run_id])
            instance.delete_run(run_id)
    return len(gone)
