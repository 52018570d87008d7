"""Dagster's own storage in the warehouse's Postgres: over connections that stay open, and with runs that can be killed.

dagster-postgres opens a connection for each statement and asks the catalog, for each event, which of its tables there
are: in one build of all models 3,300 connections, more work than the build's own queries.

Every run, of the UI and of the command line, starts, ends and waits for a pool by way of this storage: so here it takes
and leaves its lock (`run_locks.py`). It is also the first thing that a daemon opens: so here a second one waits
(`one_daemon.py`).
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log import SqlEventLogStorage
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, AssetKeyTable, SqlEventLogStorageTable
from dagster._serdes import ConfigurableClassData, serialize_value
from dagster._utils.concurrency import ConcurrencyClaimStatus
from dagster_postgres import DagsterPostgresStorage, PostgresEventLogStorage, PostgresRunStorage
from dagster_postgres.utils import create_pg_engine, pg_url_from_config
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from dagster_project.orchestration import one_daemon, run_locks

_ADDRESS = "DAGSTER_PG_URL"
# One connection waits for the next statement; more are opened when threads ask at once, and closed after it. It is
# opened anew after some seconds, so that one that the server has dropped is not met for long. Whoever asks for one more
# than there may be waits for it.
_KEPT_OPEN, _AT_MOST, _SECONDS = 1, 20, 10


class PooledStorage(DagsterPostgresStorage):
    """The storage of `dagster.yaml`: configured like `storage: postgres`."""

    def __init__(
        self, postgres_url: str, should_autocreate_tables: bool = True, inst_data: ConfigurableClassData | None = None
    ) -> None:
        super().__init__(postgres_url, should_autocreate_tables, inst_data)
        self._run_storage = _Runs(postgres_url, should_autocreate_tables)
        self._event_log_storage = _EventLog(postgres_url, should_autocreate_tables)
        for storage in (self._run_storage, self._event_log_storage, self._schedule_storage):
            storage._engine = create_pg_engine(
                postgres_url,
                isolation_level="AUTOCOMMIT",
                pool_size=_KEPT_OPEN,
                max_overflow=_AT_MOST - _KEPT_OPEN,
                pool_recycle=_SECONDS,
            )

    @classmethod
    def config_type(cls) -> Any:
        """What Dagster asks for before it reads `dagster.yaml`: the last place at which to say what is missing."""
        if _ADDRESS not in os.environ:
            program = Path(sys.argv[0]).name
            sys.exit(
                f"b2chat: {program} does not know the warehouse ({_ADDRESS} is not set): start it with "
                f"`b2chat exec {program} …`, see docs/operations.md"
            )
        return super().config_type()

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "PooledStorage":
        """What Dagster calls with the values of `dagster.yaml`."""
        one_daemon.wait_for_turn()
        return cls(pg_url_from_config(config_value), config_value.get("should_autocreate_tables", True), inst_data)


def require_connection(postgres_url: str) -> None:
    """Let Dagster's driver connect, as its storage does.

    Raises:
        sqlalchemy.exc.DBAPIError: it cannot.
    """
    create_pg_engine(postgres_url, poolclass=NullPool).connect().close()


class _Runs(PostgresRunStorage):
    """A run holds its lock from its start to its end, in the process that executes it."""

    def handle_run_event(self, run_id: str, event: dg.DagsterEvent, *args: Any, **more: Any) -> None:
        if event.event_type == dg.DagsterEventType.RUN_START:
            run_locks.hold(run_id)
            self.add_run_tags(run_id, {run_locks.TAG: run_id})
        super().handle_run_event(run_id, event, *args, **more)
        if event.event_type in _ENDS:
            run_locks.release(run_id)


_ENDS = {dg.DagsterEventType.RUN_SUCCESS, dg.DagsterEventType.RUN_FAILURE, dg.DagsterEventType.RUN_CANCELED}


_ANNOUNCEMENTS = {
    dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
}


class _EventLog(PostgresEventLogStorage):
    """Remembers the tables and columns that it has seen: none ever goes. A wait for a pool can be stopped."""

    def claim_concurrency_slot(
        self, concurrency_key: str, run_id: str, step_key: str, priority: int | None = None
    ) -> ConcurrencyClaimStatus:
        claim = super().claim_concurrency_slot(concurrency_key, run_id, step_key, priority)
        if claim.is_claimed:
            return claim
        # Dagster itself would ask again and again without a pause, and be deaf to signals.
        run_locks.wait_for_slot(self._instance, concurrency_key, run_id)
        return claim.with_sleep_interval(0.0)

    def initialize_concurrency_limit_to_default(self, concurrency_key: str) -> bool:
        # Of two runs that meet a pool for the first time, the second finds it made, and Dagster's own would go on in a
        # transaction that Postgres has ended.
        try:
            return super().initialize_concurrency_limit_to_default(concurrency_key)
        except DBAPIError:
            if concurrency_key in self.get_concurrency_keys():
                return True
            raise

    def store_event(self, event: dg.EventLogEntry) -> None:
        # Postgres' own also notifies a channel that nobody listens to. Where any role has filled the server's one queue
        # of notices, that would fail, and the run with it.
        SqlEventLogStorage.store_event(self, event)

    def store_event_batch(self, events: Sequence[dg.EventLogEntry]) -> None:
        # A run begins with an announcement of each asset and check, 800 of them, and Dagster would store one after the
        # other, by two statements each. They come in the order of their assets: two runs do not wait for each other.
        if not {event.dagster_event_type for event in events} <= _ANNOUNCEMENTS:
            super().store_event_batch(events)
            return
        insert = SqlEventLogStorageTable.insert().returning(SqlEventLogStorageTable.c.id, sort_by_parameter_order=True)
        with self.index_transaction() as conn:
            assets: dict[str, dict[str, Any]] = {}
            checks: list[dict[str, Any]] = []
            ids: list[Any] = [row[0] for row in conn.execute(insert, [self._event_to_row(event) for event in events])]
            for event, event_id in zip(events, ids, strict=True):
                planned = event.get_dagster_event()
                if planned.asset_key:
                    key = planned.asset_key.to_string()
                    assets[key] = {"asset_key": key, **self._get_asset_entry_values(event, event_id, True)}
                else:
                    checks.append(self._planned_check(event, event_id))
            if assets:
                upsert = postgresql.insert(AssetKeyTable)
                told = upsert.excluded.last_run_id, upsert.excluded.last_materialization_timestamp
                conn.execute(
                    upsert.on_conflict_do_update(index_elements=["asset_key"], set_={one.name: one for one in told}),
                    list(assets.values()),
                )
            if checks:
                conn.execute(AssetCheckExecutionsTable.insert(), checks)

    def _planned_check(self, event: dg.EventLogEntry, event_id: int) -> dict[str, Any]:
        planned = event.get_dagster_event().asset_check_planned_data
        return {
            "asset_key": planned.asset_key.to_string(),
            "check_name": planned.check_name,
            "run_id": event.run_id,
            "execution_status": AssetCheckExecutionRecordStatus.PLANNED.value,
            "evaluation_event": serialize_value(event),
            "evaluation_event_timestamp": self._event_insert_timestamp(event),
            "evaluation_event_storage_id": event_id,
        }

    def has_table(self, table_name: str) -> bool:
        return self._remembered(("table", table_name), super().has_table, table_name)

    def has_asset_key_col(self, column_name: str) -> bool:
        return self._remembered(("column", column_name), super().has_asset_key_col, column_name)

    def _remembered(self, what: tuple[str, str], look: Any, name: str) -> bool:
        seen = self.__dict__.setdefault("_seen", set())
        if what not in seen and look(name):
            seen.add(what)
        return what in seen
