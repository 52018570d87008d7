"""The outside systems that assets speak to, as Dagster resources. Secrets come from the environment, by name only."""

import importlib.metadata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import dagster as dg
import psycopg
from packaging import version
from pydantic import Field

from dagster_project.ingestion.quota import PostgresQuota
from dagster_project.orchestration import single_dbt
from dagster_project.orchestration.dagster_dbt_alone import DbtCliInvocation, DbtCliResource, resource
from dagster_project.settings import Settings, safe_address, variable_name
from dagster_project.sources.b2chat.client import B2ChatClient
from dagster_project.warehouse import connection, system_settings
from dagster_project.warehouse.access import program_logins


def _setting(name: str) -> Any:
    """A field that a setting gives, with the setting's own description."""
    return Field(description=f"{Settings.model_fields[name].description} ({variable_name(name)})")


class Warehouse(dg.ConfigurableResource):
    """The Postgres that holds everything."""

    url: str = Field(description="Its address, with user and password (DATABASE_URL).")

    def as_role(self, role: str) -> "Warehouse":
        """The same warehouse for a part of the program, which works by a role of its own where the settings say so."""
        return Warehouse(url=program_logins.url_of(Settings.load(), self.url, role))

    @contextmanager
    def connect(self) -> Iterator[psycopg.Connection]:
        """A connection whose work is committed at the end, or rolled back on an error."""
        with connection.connect(self.url) as conn:
            yield conn

    def settings(self) -> Settings:
        """The settings as they count now: what was changed at run time over the environment's."""
        with self.connect() as conn:
            return system_settings.effective(conn, Settings.load())


class B2ChatAccount(dg.ConfigurableResource):
    """A B2Chat account: where its API is, who we are there, and how much it may be asked."""

    api_url: str = _setting("api_url")
    client_id: str = _setting("client_id")
    client_secret: str = _setting("client_secret")
    requests_per_second: float = _setting("requests_per_second")
    requests_per_day: int = _setting("requests_per_day")
    timeout_seconds: float = _setting("timeout_seconds")
    max_attempts: int = _setting("max_attempts")
    page_size: int = _setting("page_size")

    @classmethod
    def from_settings(cls, settings: Settings) -> "B2ChatAccount":
        """The account of the settings; its address and credentials are read from the environment when a run begins."""
        return cls(
            api_url=dg.EnvVar(variable_name("api_url")),
            client_id=dg.EnvVar(variable_name("client_id")),
            client_secret=dg.EnvVar(variable_name("client_secret")),
            requests_per_second=settings.requests_per_second,
            requests_per_day=settings.requests_per_day,
            timeout_seconds=settings.timeout_seconds,
            max_attempts=settings.max_attempts,
            page_size=settings.page_size,
        )

    def client(self, quota: PostgresQuota) -> B2ChatClient:
        """A client that counts its requests against a quota. Use it as a context manager."""
        return B2ChatClient(
            safe_address(self.api_url),
            self.client_id,
            self.client_secret,
            quota=quota,
            requests_per_second=self.requests_per_second,
            timeout_seconds=self.timeout_seconds,
            max_attempts=self.max_attempts,
            page_size=self.page_size,
        )


class _OwnProcess(DbtCliInvocation):
    """dagster-dbt hands the whole environment on to a new process, and has no other place to choose either."""

    @classmethod
    def run(cls, args: Sequence[str], env: dict[str, str], *_: Any, **more: Any) -> DbtCliInvocation:
        # The file of a run is looked at where the run failed, and nobody looks for what helps dbt's developers.
        env = {"DBT_LOG_LEVEL_FILE": "info"} | env
        process = single_dbt.start(args, single_dbt.environment(env), more["project_dir"])
        dg.get_dagster_logger().info(f"Running dbt command: `{' '.join(args)}`.")
        return cls(process=process, project=more.pop("dbt_project"), **more)


resource.DbtCliInvocation = _OwnProcess  # type: ignore[attr-defined]


class DbtCli(DbtCliResource):
    """dbt, one build at a time on a warehouse."""

    # dagster-dbt's resource without what costs seconds in each run and is not needed here: a process `dbt --version` to
    # learn the version, and an adapter that parses dbt's macros in our process, with which dagster-dbt could look at
    # tables: `ui/table_metadata.py` does that.

    def cli(self, *args: Any, **more: Any) -> DbtCliInvocation:
        """What dagster-dbt does, when no other build is at work; dbt's process has no secret but its own login's."""
        single_dbt.wait_for_turn()
        single_dbt.hand_over()
        return super().cli(*args, **more)

    @cached_property
    def _cli_version(self) -> version.Version:
        return version.parse(importlib.metadata.version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> Any:
        return None
