"""A killed command line leaves no run that others wait for."""

from collections.abc import Iterator

import dagster as dg
import psycopg
import pytest

from dagster_project import run_locks


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def test_a_run_whose_process_is_gone_is_closed_and_no_other(instance: dg.DagsterInstance, database_url: str) -> None:
    def begin(run_id: str, status: dg.DagsterRunStatus, **tags: str) -> None:
        instance.add_run(dg.DagsterRun(job_name="any", run_id=run_id, status=status, tags=tags))

    ours, started, done = {run_locks.TAG: "yes"}, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.SUCCESS
    alive, killed, finished, of_the_ui = (f"00000000-0000-0000-0000-00000000000{n}" for n in range(4))
    begin(alive, started, **ours)
    begin(killed, started, **ours)
    begin(finished, done, **ours)
    begin(of_the_ui, started)
    with psycopg.connect(database_url) as conn:
        with run_locks.held(database_url, alive):
            assert run_locks.close_killed(conn, instance) == [killed]
            assert run_locks.close_killed(conn, instance) == []
        statuses = {run.run_id: run.status for run in instance.get_runs()}
    assert statuses == {
        alive: started, killed: dg.DagsterRunStatus.FAILURE, finished: done, of_the_ui: started}  # fmt: skip
