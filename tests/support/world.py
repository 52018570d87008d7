"""A warehouse filled over HTTP from records that a test lists, and built by dbt: for the tests of models.

The account's zone is America/Bogota: UTC−5 all year.
"""

import json
import subprocess
from datetime import UTC, date, datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from dagster_project.orchestration.builds import quiet_sources
from dagster_project.orchestration.builds.last_build import LastBuild, is_first
from dagster_project.orchestration.dbt_project import manifest
from tests.support import forked_dbt
from tests.support.listed import ListedSource, client_of
from tests.support.syncing import sync_b2chat

FIRST_DAY, TODAY = date(2025, 9, 22), date(2025, 10, 10)
TABLES = "config.materialized:incremental"


class World:
    """A warehouse, what fills it, and the two steps that do."""

    def __init__(self, url: str, sandbox: Any) -> None:
        self.url, self.sandbox = url, sandbox
        self.source: ListedSource = sandbox._source

    def sync(self) -> None:
        with client_of(self.sandbox) as client:
            for entity in ("contacts", "chats"):
                sync_b2chat(
                    self.url,
                    client,
                    entity=entity,
                    start_date=FIRST_DAY,
                    today=TODAY,
                    lookback_days=30,  # type: ignore[arg-type]
                    triggered_by="test",
                )

    def build(self, *models: str) -> None:
        """Build and test everything, as the job does; or the named models and what they stand on, which costs less."""
        with psycopg.connect(self.url) as conn:
            everything = ["--selector", "first_build"] if is_first(conn) else []
        selected = ["--indirect-selection", "cautious", "--select", *(f"+{model}" for model in models)]
        self._succeed("build", *(selected if models else everything), "--exclude-resource-type", "unit_test")

    def run(self, *models: str, full_refresh: bool = False) -> None:
        """Bring the named models up to date, where they and all that they stand on are there: the tables alone, without
        their tests."""
        anew = ["--full-refresh"] if full_refresh else []
        self._succeed("run", *anew, "--select", *(f"+{model},{TABLES}" for model in models))

    def refreshed(self) -> subprocess.CompletedProcess[str]:
        """A refresh as the job asks for it, where everything stands and no full hour has begun since."""
        nodes = json.loads(manifest().read_text())["nodes"].values()
        last = LastBuild(datetime.now(UTC), datetime.now(UTC), is_current=False, is_of_this_hour=True)
        with psycopg.connect(self.url) as conn:
            left_out = quiet_sources.leave_out(conn, nodes, last)
        return self.dbt("build", "--selector", quiet_sources.selector(left_out))

    def _succeed(self, *arguments: str) -> None:
        done = self.dbt(*arguments)
        assert done.returncode == 0, done.stdout[-4000:]

    def dbt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return forked_dbt.run(self.url, *arguments, B2CHAT_TIMEZONE="America/Bogota")

    def ask(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with psycopg.connect(self.url, row_factory=dict_row) as conn:
            return conn.execute(query, values).fetchall()  # type: ignore[arg-type]

    def one(self, table: str, key: str, value: str) -> dict[str, Any]:
        (row,) = self.ask(f"select * from {table} where {key} = %s", value)
        return row
