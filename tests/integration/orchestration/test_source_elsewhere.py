"""Rooms in another database than the warehouse, read from a replica: what is read, what keeps house there, what not."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pytest

from dagster_project.ingestion.sync import sync_source
from dagster_project.orchestration import places
from dagster_project.orchestration.assets.maintenance import enforce_retention_job, keep_partitions_job
from dagster_project.orchestration.resources import Warehouse
from dagster_project.settings import Settings
from dagster_project.sources.contract import Scope
from dagster_project.sources.rooms import schema
from dagster_project.sources.rooms.entities import ENTITIES, ROOMS
from dagster_project.sources.rooms.sandbox.fill import fill
from dagster_project.sources.rooms.sandbox.firm import Firm
from tests.support.reading import held, landed

# As a replica: its sessions can write nothing, and are the reader's, who knows no password and calls no function.
REPLICA = "{}?options=-cdefault_transaction_read_only%3Don%20-crole%3Drooms_reader"


def test_rooms_of_another_database_are_read_from_a_replica_and_kept_where_they_are(
    new_database: Callable[[], str], database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = new_database()
    schema.upgrade(home)
    with psycopg.connect(home) as rooms:
        fill(rooms, Firm(first_day=date(2026, 3, 2), days=2, rooms_per_day=2), datetime(2026, 3, 3, 17, tzinfo=UTC))
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("ROOMS_DATABASE_URL", home)
    monkeypatch.setenv("ROOMS_READ_URL", REPLICA.format(home))
    monkeypatch.setenv("B2CHAT_DATA_DIR", str(tmp_path))
    settings = Settings.load()

    with places.opened(settings, ROOMS, database_url) as source:
        assert source and source.seconds_behind is None
        results = sync_source(database_url, source, Scope("incremental", date(2026, 3, 3)), triggered_by="test")
    assert sum(len(found) for found in results.values()) > 10
    with psycopg.connect(database_url) as conn, psycopg.connect(home, autocommit=True) as rooms:
        for entity in ENTITIES:
            assert landed(conn, entity) == held(rooms, entity), entity.name
        rooms.execute("select rooms.keep_month('rooms.messages_history', '2016-10-01')")
        rooms.execute("drop table rooms.messages_history_" + f"{datetime.now(UTC):%Y_%m}")  # type: ignore[arg-type]

        warehouse = {"warehouse": Warehouse(url=database_url)}
        assert keep_partitions_job.execute_in_process(resources=warehouse).success
        assert enforce_retention_job.execute_in_process(resources=warehouse).success
        counted = "select count(*) from pg_inherits where inhrelid::regclass::text = 'rooms.messages_history_' || %s"
        months = ("2016_10", f"{datetime.now(UTC):%Y_%m}")
        assert [rooms.execute(counted, [month]).fetchone() for month in months] == [(0,), (1,)]

    assert json.loads(_b2chat("archive", "run", "--json").stdout)["elsewhere"] == ["rooms"]
    told = _b2chat("archive", "restore", "rooms.messages", "2016-10")
    assert told.returncode != 0 and "another database" in told.stderr


def _b2chat(*words: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("b2chat")
    return subprocess.run([program, *words], capture_output=True, text=True, check=False)
