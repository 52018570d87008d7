"""Where the data is held, how often it is refreshed, and what metrics count."""

import re
from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from dagster_project.settings.section import CommaSeparated, Section


class PostgresSettings(Section):
    """The warehouse's Postgres"""

    database_url: SecretStr | None = Field(
        None,
        validation_alias="DATABASE_URL",
        description="Postgres to use, as postgresql://user:password@host:port/database or as host=… user=… dbname=…; "
        "all of libpq's options work, and its variables (PGSSLMODE, PGPASSFILE …) give what is not said here. "
        "Without it (and without POSTGRES_HOST) an embedded Postgres is started.",
    )
    postgres_host: str | None = Field(
        None, validation_alias="POSTGRES_HOST", description="Host of the Postgres to use, instead of DATABASE_URL."
    )
    postgres_port: int = Field(5432, validation_alias="POSTGRES_PORT", ge=1, le=65535, description="Its port.")
    postgres_user: str | None = Field(None, validation_alias="POSTGRES_USER", description="Its user.")
    postgres_password: SecretStr | None = Field(None, validation_alias="POSTGRES_PASSWORD", description="Its password.")
    postgres_db: str | None = Field(None, validation_alias="POSTGRES_DB", description="Its database.")
    plain_hosts: CommaSeparated[str] = Field(
        default_factory=list,
        description="Hosts of Postgres or of the bucket that may be reached without TLS, because nobody else is on the "
        "way to them, separated by commas. This machine itself always may.",
    )
    bi_password: SecretStr | None = Field(
        None,
        description="Password of the role bi_reader, with which BI tools log in. Default: one is made at the first "
        "`b2chat db bi-url` and kept in the data folder. Warehouses on one server share the role: give them the same.",
    )
    separate_roles: bool = Field(
        False,
        description="Let each part of the program work by a login that may do only what the part needs: a sync as "
        "b2chat_loader, dbt as b2chat_dbt, analyses as b2chat_analysis (docs/access.md). Where nothing else is said "
        "below, the logins are made, and their passwords kept in the data folder.",
    )
    database_url_loader: SecretStr | None = Field(
        None,
        validation_alias="DATABASE_URL_LOADER",
        description="Address by which syncs meet the warehouse, of a login that is a member of b2chat_loader.",
    )
    database_url_dbt: SecretStr | None = Field(
        None,
        validation_alias="DATABASE_URL_DBT",
        description="The same for dbt, of a login that is a member of b2chat_dbt.",
    )
    database_url_analysis: SecretStr | None = Field(
        None,
        validation_alias="DATABASE_URL_ANALYSIS",
        description="The same for analyses, of a login that is a member of b2chat_analysis.",
    )
    data_dir: Path = Field(
        Path(".b2chat"),
        description="Folder of the embedded Postgres, Dagster's logs and dbt's artifacts. Delete it to start anew.",
    )
    pg_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="TCP port of the embedded Postgres; 0 picks a free one at first start and keeps it.",
    )
    citus: bool = Field(
        False,
        description="Whether that Postgres is the coordinator of a Citus cluster over which large tables are to be "
        "spread; docs/scale.md says when, and what to do first.",
    )
    pg_bin: Path | None = Field(
        None, description="Folder with initdb and pg_ctl, instead of the packaged Postgres binaries."
    )
    code_server_host: str = Field(
        "127.0.0.1", description="Where web server and daemon find the code server (docs/operations.md, Services)."
    )
    code_server_port: int = Field(4266, ge=1, le=65535, description="Its port.")

    @field_validator("database_url", "database_url_loader", "database_url_dbt", "database_url_analysis")
    @classmethod
    def _postgres_address(cls, url: SecretStr | None) -> SecretStr | None:
        if url and not re.match(r"postgres(ql)?://|\s*[a-z_]+\s*=", url.get_secret_value()):
            raise ValueError("must look like postgresql://user:password@host:port/database, or host=… user=…")
        return url


class OperationsSettings(Section):
    """Refreshes, warnings, and how long records are kept"""

    sync_interval: int = Field(
        15,
        validation_alias="SYNC_INTERVAL",
        description="Minutes between two scheduled refreshes: a divisor of 60, or whole hours that divide the day.",
    )
    freshness_minutes: int = Field(
        120, ge=5, le=525_600, description="Minutes without a successful sync after which a notification is written."
    )
    quarantine_error_share: float = Field(
        0.01, gt=0, le=1, description="Share of records in quarantine above which the asset check is an error."
    )
    keep_responses: bool = Field(
        True, description="Keep each whole answer of the API in ops.api_response_logs, for the time below."
    )
    retention_responses_days: int = Field(30, ge=1, description="Days that whole answers of the API are kept.")
    retention_sync_logs_days: int = Field(90, ge=7, description="Days that logs and checkpoints of syncs are kept.")
    retention_error_logs_days: int = Field(90, ge=1, description="Days that error logs are kept.")
    retention_notifications_days: int = Field(30, ge=1, description="Days that notifications are kept.")
    retention_export_logs_days: int = Field(90, ge=1, description="Days that failed and expired exports stay listed.")
    retention_runs_days: int = Field(
        14,
        ge=7,
        description="Days that runs of Dagster are kept, with their events and what their steps printed: up to 6 "
        "MB each. The run that says last what an asset or a check was always stays.",
    )
    retention_audit_years: int = Field(7, ge=1, le=100, description="Years that the audit log is kept.")
    archive_after_months: int = Field(
        0,
        ge=0,
        le=1200,
        description="Months after which chats and messages leave the tables for files in the store of exports, 24 by "
        "the data dictionary; 0: only when `b2chat archive run` is called.",
    )
    erasure_salt: SecretStr | None = Field(
        None,
        description="Salt of the list that keeps erased people from coming back. Default: one is made at the first "
        "`b2chat erase` and kept in the data folder. Without it nothing lands any more: keep it apart from backups.",
    )

    @field_validator("sync_interval")
    @classmethod
    def _even_interval(cls, minutes: int) -> int:
        if minutes < 1 or (60 % minutes if minutes < 60 else 1440 % minutes or minutes % 60):
            raise ValueError("must divide 60 (5, 10, 15, 20, 30 …) or be whole hours that divide the day (60, 120 …)")
        return minutes


class MetricsSettings(Section):
    """What metrics count"""

    activity_minutes: int = Field(
        15,
        ge=1,
        le=240,
        description="Minutes around an agent's message, pick-up or closing for which the agent counts as at work.",
    )
    stale_days: int = Field(
        30, ge=1, le=3650, description="Days without an event after which an open chat is stale, no backlog in work."
    )
