"""Every setting, typed and documented once: from the environment, then from one `.env`, wherever a command runs."""

import os
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings

from dagster_project.settings.alerts import AlertsSettings
from dagster_project.settings.analysis import AiSettings
from dagster_project.settings.backup import BackupSettings
from dagster_project.settings.publishing import DashboardSettings, ExportsSettings, QuestionsSettings
from dagster_project.settings.section import (
    PROJECT_ROOT,
    SettingsError,
    is_secret,
    is_this_machine,
    safe_address,
    variable_of,
)
from dagster_project.settings.sources import B2ChatSettings, CallsSettings, RoomsSettings, SandboxSettings
from dagster_project.settings.warehouse import MetricsSettings, OperationsSettings, PostgresSettings

__all__ = [
    "DATABASES",
    "IN_WAREHOUSE",
    "PROJECT_ROOT",
    "Settings",
    "SettingsError",
    "documented",
    "env_file",
    "is_open_to_others",
    "safe_address",
    "secret_variables",
    "variable_name",
]

DATABASES = ("rooms", "calls")  # sources that are a schema of a Postgres; their settings begin with their name
ENV_FILE = "B2CHAT_ENV_FILE"  # names another file than the project's own .env
IN_WAREHOUSE = "warehouse"  # where a source's own schema may be, instead of a Postgres of its own


class Settings(
    PostgresSettings,
    B2ChatSettings,
    RoomsSettings,
    CallsSettings,
    OperationsSettings,
    MetricsSettings,
    AiSettings,
    ExportsSettings,
    AlertsSettings,
    BackupSettings,
    DashboardSettings,
    QuestionsSettings,
    SandboxSettings,
):
    """The settings of one deployment, a base class a section of `.env.example`, in its order.

    `Settings.load()` is the way in: it turns faults into `SettingsError`.
    """

    @classmethod
    def load(cls, **overrides: object) -> "Settings":
        """Read the settings, from the environment and from `env_file`.

        Raises:
            SettingsError: one line that names each setting that is missing or wrong, without its value.
        """
        try:
            return cls(_env_file=env_file(), **overrides)  # type: ignore[arg-type]
        except ValidationError as error:
            raise SettingsError("; ".join(_explain(fault) for fault in error.errors())) from None

    @field_validator("api_url", "anthropic_base_url", "alerts_ui_url")
    @classmethod
    def _safe_address(cls, url: str | None) -> str | None:
        return url and safe_address(url)

    @field_validator(
        "data_dir", "pg_bin", "audit_folder", "ai_taxonomy", "ai_lexicon", "exports_dir", "dashboard_dir", "backup_dir"
    )
    @classmethod
    def _from_the_root(cls, path: Path | None) -> Path | None:
        return path and PROJECT_ROOT / path.expanduser()

    @model_validator(mode="after")
    def _parts_belong_together(self) -> "Settings":
        if self.postgres_host and not self.database_url:
            for name in ("postgres_user", "postgres_db"):
                if not getattr(self, name):
                    raise ValueError(f"{name.upper()} is missing (POSTGRES_HOST is set)")
        for part in ("loader", "dbt", "analysis"):
            if getattr(self, f"database_url_{part}") and not self.separate_roles:
                raise ValueError(f"B2CHAT_SEPARATE_ROLES must be true (DATABASE_URL_{part.upper()} is set)")
        if self.backup_to_bucket and not self.exports_bucket:
            raise ValueError("B2CHAT_EXPORTS_BUCKET is missing (B2CHAT_BACKUP_TO_BUCKET is set)")
        if self.sandbox == "replay" and not self.sandbox_files:
            raise ValueError("B2CHAT_SANDBOX_FILES is missing (B2CHAT_SANDBOX is replay)")
        if urlsplit(endpoint := self.exports_s3_endpoint or "").scheme == "http":
            host = urlsplit(endpoint).hostname or ""
            if not is_this_machine(host) and host not in self.plain_hosts:
                raise ValueError(
                    "B2CHAT_EXPORTS_S3_ENDPOINT must begin with https://, or its host stand in B2CHAT_PLAIN_HOSTS"
                )
        for file in self.sandbox_files:
            if not file.is_file():
                raise ValueError(f"B2CHAT_SANDBOX_FILES names a file that does not exist: {file.name}")
        if bool(self.client_id) != bool(self.client_secret):
            missing = "B2CHAT_CLIENT_SECRET" if self.client_id else "B2CHAT_CLIENT_ID"
            raise ValueError(f"{missing} is missing (its other half is set)")
        return self

    @cached_property
    def zone(self) -> ZoneInfo:
        """The account's time zone."""
        return ZoneInfo(self.timezone)

    def today(self) -> date:
        """The current day in the account's zone; on a sandbox whose clock is held, that clock's day."""
        return (self.sandbox_clock or datetime.now(UTC)).astimezone(self.zone).date()

    @property
    def has_account(self) -> bool:
        """Whether a B2Chat account (or the sandbox in its place) can be asked."""
        return bool(self.client_id and self.client_secret)

    def is_on(self, source: str) -> bool:
        """Whether a source of this name is read: rooms and calls are off where nothing leads to them."""
        return source not in self._own_databases or self._own_databases[source] is not None

    def own_database(self, source: str, warehouse: str) -> str | None:
        """The Postgres that holds a source's own schema; None where it has none, or is off. `warehouse` is that URL."""
        named = self._own_databases.get(source)
        in_warehouse = named and named.get_secret_value() == IN_WAREHOUSE
        return warehouse if in_warehouse else named.get_secret_value() if named else None

    def elsewhere(self, warehouse: str) -> list[str]:
        """The sources whose own schema is in another database than the warehouse: no archive is made of them."""
        return [source for source in DATABASES if self.own_database(source, warehouse) not in (None, warehouse)]

    @property
    def _own_databases(self) -> dict[str, SecretStr | None]:
        return {source: getattr(self, f"{source}_database_url") for source in DATABASES}

    @property
    def data_path(self) -> Path:
        """`data_dir` as an absolute path. All relative paths of settings are taken from the project's root."""
        return (PROJECT_ROOT / self.data_dir).resolve()

    @property
    def exports_path(self) -> Path:
        """The folder of exports as an absolute path."""
        return (PROJECT_ROOT / (self.exports_dir or self.data_dir / "exports")).resolve()

    @property
    def dashboard_path(self) -> Path:
        """The folder of the dashboard's static site as an absolute path."""
        return (PROJECT_ROOT / (self.dashboard_dir or self.data_dir / "dashboard")).resolve()

    @property
    def backup_path(self) -> Path:
        """The folder of backups as an absolute path."""
        return (PROJECT_ROOT / (self.backup_dir or self.data_dir / "backups")).resolve()


def env_file() -> Path | None:
    """The file that settings are read from, beside the environment: B2CHAT_ENV_FILE, else `.env` in the project's root.

    Raises:
        SettingsError: the file named is not there; or the working directory has another `.env` with settings of ours,
            of which nobody can tell whether it is meant.
    """
    named, ours, here = os.environ.get(ENV_FILE), PROJECT_ROOT / ".env", Path.cwd() / ".env"
    if named:
        chosen = PROJECT_ROOT / Path(named).expanduser()
        if not chosen.exists():
            raise SettingsError(f"{ENV_FILE}: there is no {chosen}")
        return chosen
    if here.is_file() and not (ours.exists() and here.samefile(ours)):
        known = {variable for _, variable, _, _ in documented()} | {f"{name}_FILE" for name in secret_variables()}
        if known & {name.upper() for name in dotenv_values(here, encoding="utf-8")}:
            raise SettingsError(
                f"{here} holds settings, but they are read from {ours}, wherever a command is run: "
                f"set {ENV_FILE}={here} to use them, or move them there"
            )
    return ours if ours.exists() else None


def variable_name(field: str) -> str:
    """The environment variable that sets a field of `Settings`."""
    return variable_of(field, Settings.model_fields[field])


def secret_variables() -> list[str]:
    """The variables of secrets; with _FILE at its end each may name a file that holds the value."""
    return [variable_of(name, field) for name, field in Settings.model_fields.items() if is_secret(field)]


def is_open_to_others(file: Path) -> bool:
    """Whether other accounts of this machine can read or change a file of settings."""
    return file.is_file() and bool(file.stat().st_mode & 0o066)


def documented() -> list[tuple[str, str, str, str]]:
    """(section, variable, default, description) of each setting, in the order in which they are declared."""
    rows = []
    for section in (base for base in Settings.__bases__ if issubclass(base, BaseSettings)):
        for name, field in section.model_fields.items():
            default = "" if field.default is None or field.default_factory else str(field.default)
            rows.append((section.__doc__ or "", variable_name(name), default, field.description or ""))
    return rows


def _explain(fault: object) -> str:
    location, message = fault["loc"], str(fault["msg"])  # type: ignore[index]
    text = message.removeprefix("Value error, ")
    if not location:
        return text
    name = str(location[0])
    return f"{variable_name(name) if name in Settings.model_fields else name.upper()}: {text}"
