"""Every setting, typed and documented once: from the environment, then from one `.env`, wherever a command runs."""

import ipaddress
import os
import re
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parent.parent
ENV_FILE = "B2CHAT_ENV_FILE"  # names another file than the project's own .env


class SettingsError(Exception):
    """A setting is missing or wrong. Its text is one line that names the setting and never holds its value."""


class _Section(BaseSettings):
    """What all sections of `Settings` share."""

    model_config = SettingsConfigDict(
        env_file_encoding="utf-8",
        extra="ignore",
        env_ignore_empty=True,
        frozen=True,
        env_prefix="B2CHAT_",
        populate_by_name=True,
    )


class PostgresSettings(_Section):
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
    bi_password: SecretStr | None = Field(
        None,
        description="Password of the role bi_reader, with which BI tools log in. Default: one is made at the first "
        "`b2chat db bi-url` and kept in the data folder. Warehouses on one server share the role: give them the same.",
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

    @field_validator("database_url")
    @classmethod
    def _postgres_address(cls, url: SecretStr | None) -> SecretStr | None:
        if url and not re.match(r"postgres(ql)?://|\s*[a-z_]+\s*=", url.get_secret_value()):
            raise ValueError("must look like postgresql://user:password@host:port/database, or host=… user=…")
        return url


class B2ChatSettings(_Section):
    """The B2Chat account, and how it is read"""

    api_url: str = Field("https://api.b2chat.io", description="Base address of the B2Chat API.")
    client_id: str | None = Field(None, description="OAuth client id of the B2Chat account.")
    client_secret: SecretStr | None = Field(None, description="OAuth client secret of the B2Chat account.")
    timezone: str = Field(
        "America/Bogota", description="IANA time zone of the account: B2Chat's times are local and carry no zone."
    )
    start_date: date | None = Field(
        None, description="First creation day to read (YYYY-MM-DD). Default: 90 days before the first sync."
    )
    lookback_days: int = Field(
        3,
        ge=0,
        le=366,
        description="Recent creation days that each sync reads again, beside the days that still hold an open chat.",
    )
    sweep_days: int = Field(
        30,
        ge=1,
        le=366,
        description="Recent creation days that are all read again once a day, because chats change after they close.",
    )
    requests_per_second: float = Field(5, gt=0, le=1000, description="Most requests a second to the B2Chat API.")
    requests_per_day: int = Field(
        10_000, ge=1, description="Most requests a day to the B2Chat API; the count survives restarts."
    )
    timeout_seconds: float = Field(60, gt=0, le=600, description="Seconds to wait for an answer of the API.")
    max_attempts: int = Field(6, ge=1, le=20, description="Tries for one request before the run fails.")
    page_size: int = Field(1000, ge=1, le=1000, description="Records a page (B2Chat's own maximum is 1000).")
    audit_folder: Path | None = Field(
        None, description="Folder with the console's audit exports (CSV, XLSX, ZIP): messages that the API withholds."
    )

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("is not an IANA time zone name such as America/Bogota")
        return name


class OperationsSettings(_Section):
    """Refreshes, warnings, and how long records are kept"""

    sync_interval: int = Field(
        15,
        validation_alias="SYNC_INTERVAL",
        description="Minutes between two scheduled refreshes: a divisor of 60, or whole hours that divide the day.",
    )
    freshness_minutes: int = Field(
        120, ge=5, description="Minutes without a successful sync after which a notification is written."
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
    archive_after_months: int = Field(
        0,
        ge=0,
        le=1200,
        description="Months after which chats and messages leave the tables for files in the store of exports, 24 by "
        "the data dictionary; 0: only when `b2chat archive run` is called.",
    )

    @field_validator("sync_interval")
    @classmethod
    def _even_interval(cls, minutes: int) -> int:
        if minutes < 1 or (60 % minutes if minutes < 60 else 1440 % minutes or minutes % 60):
            raise ValueError("must divide 60 (5, 10, 15, 20, 30 …) or be whole hours that divide the day (60, 120 …)")
        return minutes


class MetricsSettings(_Section):
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


class AiSettings(_Section):
    """Who says what chats are about: rules or Claude, and review by people"""

    anthropic_api_key: SecretStr | None = Field(
        None, validation_alias="ANTHROPIC_API_KEY", description="Key of the Claude API. Without it, rules categorize."
    )
    anthropic_base_url: str | None = Field(
        None, validation_alias="ANTHROPIC_BASE_URL", description="Another address of the Claude API, fake-claude's."
    )
    ai_model: str = Field("claude-haiku-5-5", description="Claude model to ask; it needs a price in prices.yml.")
    ai_effort: Literal["low", "medium", "high"] = Field("low", description="Effort of the Claude model.")
    ai_monthly_usd: float = Field(
        25, ge=0, description="Most USD that Claude may cost in a calendar month (UTC); over it chats wait."
    )
    ai_redaction: Literal["on", "off"] = Field(
        "on", description="off sends chats to Claude with the names and numbers in them."
    )
    ai_taxonomy: Path | None = Field(None, description="YAML file with the business's labels, not the shipped one.")
    ai_lexicon: Path | None = Field(None, description="YAML file with the rules' words, not the shipped one.")
    review_confidence: float = Field(
        0.7, ge=0, le=1, description="Confidence of a classifier below which a chat goes to the review queue."
    )
    review_share: float = Field(
        0.02, ge=0, le=1, description="Share of all chats drawn at random for review, to measure accuracy by."
    )


class ExportsSettings(_Section):
    """Exports and reports"""

    exports_dir: Path | None = Field(None, description="Folder of exports. Default: exports, in the data folder.")
    exports_bucket: str | None = Field(
        None, description="Bucket of S3, or of what speaks like it, for exports instead of the folder (extra s3)."
    )
    exports_s3_prefix: str = Field("", description="What each key in the bucket begins with.")
    exports_s3_region: str | None = Field(None, description="Region of the bucket. Default: AWS_REGION.")
    exports_s3_endpoint: str | None = Field(
        None, description="Address of an S3 that is not Amazon's, with the bucket in its path (minio, moto)."
    )
    exports_s3_access_key_id: str | None = Field(
        None, description="Key id for the bucket. Default: AWS's own variables, or the machine's role."
    )
    exports_s3_secret_access_key: SecretStr | None = Field(None, description="The secret that belongs to it.")
    exports_keep_days: int = Field(7, ge=1, le=3650, description="Days until an export is deleted.")
    exports_link_hours: int = Field(24, ge=1, le=168, description="Hours that a signed link works (168 at most).")
    exports_language: Literal["es", "en"] = Field("es", description="Language of reports and exports: es or en.")
    company: str | None = Field(None, description="Name on the cover of PDF reports. Default: B2Chat.")


class AlertsSettings(_Section):
    """Alerts, the weekly report by e-mail, and the heartbeat: all off until an address is set"""

    alerts_webhook_url: SecretStr | None = Field(
        None,
        description="Address that alerts are posted to as JSON; Slack's and Mattermost's webhooks read it.",
    )
    alerts_webhook_secret: SecretStr | None = Field(
        None, description="Secret that each of these posts is signed with (HMAC-SHA256, header X-B2Chat-Signature)."
    )
    alerts_email_to: Annotated[list[str], NoDecode] = Field(
        default_factory=list, description="Who gets alerts by e-mail, separated by commas."
    )
    alerts_apprise_urls: SecretStr | None = Field(
        None, description="Services of apprise (extra notify) that get alerts: its addresses, separated by spaces."
    )
    alerts_reminder_hours: int = Field(
        24, ge=1, le=720, description="Hours after which an alert is sent again while what it is about lasts."
    )
    alerts_ai_budget_share: float = Field(
        0.8, gt=0, le=1, description="Share of B2CHAT_AI_MONTHLY_USD from which an alert says that it is being spent."
    )
    alerts_ui_url: str | None = Field(None, description="Address of the Dagster UI, for links in alerts.")
    smtp_host: str | None = Field(None, description="SMTP server that sends e-mail.")
    smtp_port: int = Field(587, ge=1, le=65535, description="Its port.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="starttls, tls (from the first byte, port 465), or none, for a server on this machine."
    )
    smtp_user: str | None = Field(None, description="User to log in with there.")
    smtp_password: SecretStr | None = Field(None, description="The password that belongs to it.")
    smtp_from: str | None = Field(None, description="Address that e-mail is sent from.")
    report_email_to: Annotated[list[str], NoDecode] = Field(
        default_factory=list, description="Who gets the weekly report by e-mail, separated by commas."
    )
    report_email_max_mb: float = Field(
        10, gt=0, le=50, description="Size of a report, in MB, above which the mail holds a link instead of it."
    )
    heartbeat_url: SecretStr | None = Field(
        None, description="Address that is asked for while all is at work, so that an outside service notices an end."
    )
    heartbeat_minutes: int = Field(5, ge=1, le=60, description="Minutes between two heartbeats.")

    @field_validator("alerts_email_to", "report_email_to", mode="before")
    @classmethod
    def _split_addresses(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("alerts_email_to", "report_email_to", "smtp_from")
    @classmethod
    def _mail_addresses(cls, value: list[str] | str | None) -> list[str] | str | None:
        for address in [value] if isinstance(value, str) else value or []:
            if not re.fullmatch(r"[^@\s<>,;:\"]+@[A-Za-z0-9.-]+", address):
                raise ValueError("holds what is no e-mail address, such as ana@example.com")
        return value

    @field_validator("alerts_webhook_url", "heartbeat_url")
    @classmethod
    def _secret_address(cls, url: SecretStr | None) -> SecretStr | None:
        if url:
            safe_address(url.get_secret_value())
        return url  # with a slash at its end, where it has one: to a receiver that is another address

    @model_validator(mode="after")
    def _mail_is_not_read_on_the_way(self) -> "AlertsSettings":
        if self.smtp_host and self.smtp_security == "none" and not _is_this_machine(self.smtp_host):
            raise ValueError("B2CHAT_SMTP_SECURITY: none is for an SMTP server on this machine alone")
        return self


class DashboardSettings(_Section):
    """The dashboard"""

    dashboard_dir: Path | None = Field(
        None, description="Folder of the static site. Default: dashboard, in the data folder."
    )
    dashboard_weeks: int = Field(8, ge=1, le=260, description="How many of the last weeks the static site keeps.")
    dashboard_token: SecretStr | None = Field(
        None,
        description="Token that opens the served dashboard, 16 characters or more; without it `b2chat dashboard serve` "
        "listens on this machine alone.",
    )
    dashboard_hosts: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="Names by which browsers reach the served dashboard, as a proxy's, separated by commas.",
    )

    @field_validator("dashboard_hosts", mode="before")
    @classmethod
    def _split_hosts(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class QuestionsSettings(_Section):
    """Questions in plain words (`b2chat mcp`)"""

    mcp_token: SecretStr | None = Field(
        None, description="Token that `b2chat mcp --http` asks for, 24 characters or more: openssl rand -hex 24."
    )
    mcp_sql: bool = Field(
        False, description="Whether a language model may run SELECT statements of its own, as bi_reader, on the marts."
    )


class SandboxSettings(_Section):
    """The sandbox, a local B2Chat"""

    sandbox: Literal["off", "generated", "replay"] = Field(
        "off", description="Talk to the local B2Chat sandbox instead of an account: off, generated or replay."
    )
    sandbox_files: Annotated[list[Path], NoDecode] = Field(
        default_factory=list, description="Replay: JSON files in the shape of /chats/export, separated by commas."
    )
    sandbox_seed: int = Field(7, description="Generated: the seed; the same seed makes the same data.")
    sandbox_days: int = Field(42, ge=1, le=3660, description="Generated: days of history before the sandbox's clock.")
    sandbox_chats_per_day: int = Field(120, ge=1, le=100_000, description="Generated: mean chats a day.")
    sandbox_clock: datetime | None = Field(
        None, description="The sandbox's clock, held still at this instant (ISO 8601 with offset). Default: real time."
    )

    @field_validator("sandbox_files", mode="before")
    @classmethod
    def _split_files(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("sandbox_files")
    @classmethod
    def _files_from_the_root(cls, paths: list[Path]) -> list[Path]:
        return [PROJECT_ROOT / path.expanduser() for path in paths]

    @field_validator("sandbox_clock")
    @classmethod
    def _clock_has_offset(cls, clock: datetime | None) -> datetime | None:
        if clock and clock.tzinfo is None:
            raise ValueError("needs an offset, as in 2026-01-31T00:00:00-05:00")
        return clock


class Settings(
    PostgresSettings,
    B2ChatSettings,
    OperationsSettings,
    MetricsSettings,
    AiSettings,
    ExportsSettings,
    AlertsSettings,
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

    @field_validator("data_dir", "pg_bin", "audit_folder", "ai_taxonomy", "ai_lexicon", "exports_dir", "dashboard_dir")
    @classmethod
    def _from_the_root(cls, path: Path | None) -> Path | None:
        return path and PROJECT_ROOT / path.expanduser()

    @model_validator(mode="after")
    def _parts_belong_together(self) -> "Settings":
        if self.postgres_host and not self.database_url:
            for name in ("postgres_user", "postgres_db"):
                if not getattr(self, name):
                    raise ValueError(f"{name.upper()} is missing (POSTGRES_HOST is set)")
        if self.sandbox == "replay" and not self.sandbox_files:
            raise ValueError("B2CHAT_SANDBOX_FILES is missing (B2CHAT_SANDBOX is replay)")
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
        known = {variable for _, variable, _, _ in documented()}
        if known & {name.upper() for name in dotenv_values(here, encoding="utf-8")}:
            raise SettingsError(
                f"{here} holds settings, but they are read from {ours}, wherever a command is run: "
                f"set {ENV_FILE}={here} to use them, or move them there"
            )
    return ours if ours.exists() else None


def safe_address(url: str) -> str:
    """An address that a secret may be sent to, without a slash at its end.

    Raises:
        ValueError: it is not one of https://, or of http:// on this machine, where nobody listens in.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("is not an address such as https://api.b2chat.io") from None
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
        raise ValueError("must be an address that begins with https:// and holds no user and no password")
    if parts.scheme == "http" and not _is_this_machine(host):
        raise ValueError("must begin with https://: over http:// anybody on the way reads the secret and the chats")
    return url.rstrip("/")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def variable_name(field: str) -> str:
    """The environment variable that sets a field of `Settings`."""
    return str(Settings.model_fields[field].validation_alias or f"B2CHAT_{field.upper()}")


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
