"""BI behind PgBouncer, transaction mode: what BI relies on belongs to its role, not to a session."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from dagster_project.settings import Settings
from dagster_project.warehouse.access import bi_access
from tests.support import pgbouncer


@pytest.mark.skipif(pgbouncer.PROGRAM is None, reason="pgbouncer is not installed")
def test_clients_of_a_pool_of_transactions_share_a_session_and_keep_its_limits(
    database_url: str, new_folder: Callable[[], str]
) -> None:
    folder = Path(new_folder())
    settings = Settings.load(data_dir=folder, bi_password="pooled-canary")
    bi_access.restore(settings, database_url)
    with psycopg.connect(database_url) as conn:
        conn.execute("create schema if not exists marts")
        conn.execute("create table marts.pooled as select 7 as answer")
        conn.execute("grant usage on schema marts to bi_reader")
        conn.execute("grant select on marts.pooled to bi_reader")
    bi_url = bi_access.url_with_password(settings, database_url)
    with pgbouncer.pool_before(bi_url, folder, size=1) as pooled:
        clients = [psycopg.connect(pooled, autocommit=True, prepare_threshold=None) for _ in range(5)]
        sessions = {client.execute("select pg_backend_pid()").fetchone() for client in clients}
        assert len(sessions) == 1
        for client in clients:
            assert client.execute("select answer from pooled").fetchone() == (7,)  # found by the role's search_path
            assert client.execute("show statement_timeout").fetchone() == ("5min",)
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                client.execute("create table marts.mine ()")
            client.close()
