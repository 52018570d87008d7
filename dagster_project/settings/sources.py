"""Where conversations come from: an account of B2Chat, or the sandbox in its place."""

from datetime import date, datetime
from pathlib import Path
from typing import Literal
from zoneinfo import available_timezones

from pydantic import Field, SecretStr, field_validator

from dagster_project.settings.section import PROJECT_ROOT, CommaSeparated, Section


class B2ChatSettings(Section):
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


class RoomsSettings(Section):
    """Chat rooms, and how they are read"""

    rooms_database_url: SecretStr | None = Field(
        None,
        validation_alias="ROOMS_DATABASE_URL",
        description="Postgres that holds the schema rooms, as DATABASE_URL; the word warehouse: it is in the "
        "warehouse's own database. Without it rooms are not read.",
    )
    rooms_read_url: SecretStr | None = Field(
        None,
        validation_alias="ROOMS_READ_URL",
        description="A replica of that Postgres to read rooms from, so that reading costs the first one nothing.",
    )
    rooms_watermark: Literal["row_xid", "xmin", "updated_at"] = Field(
        "row_xid",
        validation_alias="ROOMS_WATERMARK",
        description="By what a sync knows which rows are new (docs/rooms.md): row_xid, the column that our schema has; "
        "xmin, Postgres' own, for a database of others; updated_at, for replicas and views, which may miss rows.",
    )


class CallsSettings(Section):
    """Calls of the website's widget, and how they are read"""

    calls_database_url: SecretStr | None = Field(
        None,
        validation_alias="CALLS_DATABASE_URL",
        description="Postgres that holds the schema calls, as DATABASE_URL; the word warehouse: it is in the "
        "warehouse's own database. Without it calls are not read.",
    )
    calls_read_url: SecretStr | None = Field(
        None,
        validation_alias="CALLS_READ_URL",
        description="A replica of that Postgres to read calls from, so that reading costs the first one nothing.",
    )
    calls_watermark: Literal["row_xid", "xmin", "updated_at"] = Field(
        "row_xid",
        validation_alias="CALLS_WATERMARK",
        description="By what a sync knows which rows are new (docs/calls.md): row_xid, xmin or updated_at, as "
        "ROOMS_WATERMARK.",
    )


class SandboxSettings(Section):
    """The sandbox, a local B2Chat"""

    sandbox: Literal["off", "generated", "replay"] = Field(
        "off", description="Talk to the local B2Chat sandbox instead of an account: off, generated or replay."
    )
    sandbox_files: CommaSeparated[Path] = Field(
        default_factory=list, description="Replay: JSON files in the shape of /chats/export, separated by commas."
    )
    sandbox_seed: int = Field(7, description="Generated: the seed; the same seed makes the same data.")
    sandbox_days: int = Field(42, ge=1, le=3660, description="Generated: days of history before the sandbox's clock.")
    sandbox_chats_per_day: int = Field(120, ge=1, le=100_000, description="Generated: mean chats a day.")
    sandbox_rooms_per_day: int = Field(
        10, ge=1, le=100_000, description="Generated: mean support rooms a day, in the embedded Postgres."
    )
    sandbox_visits_per_day: int = Field(
        110, ge=1, le=100_000, description="Generated: mean visits a day of websites with a call widget, likewise."
    )
    sandbox_clock: datetime | None = Field(
        None, description="The sandbox's clock, held still at this instant (ISO 8601 with offset). Default: real time."
    )

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
