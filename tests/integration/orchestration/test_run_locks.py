"""A killed process leaves nothing that others wait for."""

from collections.abc import Iterator

import dagster as dg
import psycopg
import pytest

from dagster_project.orchestration import run_locks


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def test_a_run_whose_process_is_gone_is_closed_and_no_other(
    instance: dg.DagsterInstance, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    alive, killed, finished, untagged, retry = (f"00000000-0000-0000-0000-00000000000{n}" for n in range(5))
    started, done = dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.SUCCESS

    def begin(run_id: str, status: dg.DagsterRunStatus, tagged_with: str | None = None) -> None:
        tags = {run_locks.TAG: tagged_with} if tagged_with else {}
        instance.add_run(dg.DagsterRun(job_name="any", run_id=run_id, status=status, tags=tags))

    begin(alive, started, alive)
    begin(killed, started, killed)
    begin(finished, done, finished)
    begin(untagged, started)
    begin(retry, started, killed)  # Dagster gives a retry the tags of the run that it repeats
    with psycopg.connect(database_url) as conn:
        run_locks.hold(alive)
        try:
            assert run_locks.fail_abandoned(conn, instance) == [killed]
            assert run_locks.fail_abandoned(conn, instance) == []
        finally:
            run_locks.release(alive)
    assert {run.run_id: run.status for run in instance.get_runs()} == {
        alive: started,
        killed: dg.DagsterRunStatus.FAILURE,
        finished: done,
        untagged: started,
        retry: started,
    }
