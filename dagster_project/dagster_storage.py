"""Dagster's own storage in the warehouse's Postgres, over connections that stay open.

dagster-postgres opens a connection for each statement and asks the catalog, for each event, which of its tables there
are: in one build of all models 3,300 connections, more work than the build's own queries.
"""

from typing import Any

from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage, PostgresEventLogStorage
from dagster_postgres.utils import create_pg_engine, pg_url_from_config

# One connection waits for the next statement; more are opened when threads ask at once, and closed after it. It is
# opened anew after some seconds, so that one that the server has dropped is not met for long.
_KEPT_OPEN, _SECONDS = 1, 10


class PooledStorage(DagsterPostgresStorage):
    """The storage of `dagster.yaml`: configured like `storage: postgres`."""

    def __init__(
        self, postgres_url: str, should_autocreate_tables: bool = True, inst_data: ConfigurableClassData | None = None
    ) -> None:
        super().__init__(postgres_url, should_autocreate_tables, inst_data)
        self._event_log_storage = _EventLog(postgres_url, should_autocreate_tables)
        for storage in (self._run_storage, self._event_log_storage, self._schedule_storage):
            storage._engine = create_pg_engine(
                postgres_url, isolation_level="AUTOCOMMIT",
                pool_size=_KEPT_OPEN, max_overflow=-1, pool_recycle=_SECONDS)  # fmt: skip

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "PooledStorage":
        """What Dagster calls with the values of `dagster.yaml`."""
        return cls(pg_url_from_config(config_value), config_value.get("should_autocreate_tables", True), inst_data)


class _EventLog(PostgresEventLogStorage):
    """Remembers the tables and columns that it has seen: none of them ever goes."""

    def has_table(self, table_name: str) -> bool:
        return self._remembered(("table", table_name), super().has_table, table_name)

    def has_asset_key_col(self, column_name: str) -> bool:
        return self._remembered(("column", column_name), super().has_asset_key_col, column_name)

    def _remembered(self, what: tuple[str, str], look: Any, name: str) -> bool:
        seen = self.__dict__.setdefault("_seen", set())
        if what not in seen and look(name):
            seen.add(what)
        return what in seen
