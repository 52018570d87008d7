"""The sandbox as the settings ask for it: its records, its clock, and the days that it was first set up with."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Self

from dagster_project.settings import Settings, SettingsError
from dagster_project.sources.b2chat.sandbox.account import Account
from dagster_project.sources.b2chat.sandbox.clock import Clock, FrozenClock, system_clock
from dagster_project.sources.b2chat.sandbox.generator import GeneratedSource
from dagster_project.sources.b2chat.sandbox.replay import ReplayFileError, ReplaySource
from dagster_project.sources.b2chat.sandbox.source import ChatQuery, Source

CLIENT_ID = "sandbox"
_YEARS_AHEAD = 20


@dataclass(frozen=True)
class SandboxState:
    """What must stay the same from one start of the sandbox to the next: the made account's first day, a held clock."""

    first_day: date
    clock: datetime | None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The kept state, or that of a first start; settings that are given come before both."""
        kept = json.loads(path.read_text()) if (path := _path(settings)).exists() else {}
        clock = settings.sandbox_clock or (datetime.fromisoformat(kept["clock"]) if kept.get("clock") else None)
        today = (clock or datetime.now(UTC)).astimezone(settings.zone).date()
        first_day = date.fromisoformat(kept["first_day"]) if kept else today - timedelta(days=settings.sandbox_days)
        return cls(first_day, clock)

    def keep(self, settings: Settings) -> None:
        """Remember it in the data folder."""
        path = _path(settings)
        path.parent.mkdir(parents=True, exist_ok=True)
        clock = self.clock.isoformat() if self.clock else None
        path.write_text(json.dumps({"first_day": self.first_day.isoformat(), "clock": clock}))

    @staticmethod
    def exists(settings: Settings) -> bool:
        """Whether the sandbox was used with this data folder before."""
        return _path(settings).exists()


def hold_clock(settings: Settings, advance: timedelta = timedelta(0)) -> datetime:
    """Hold the sandbox's clock where it is held already, else at the beginning of this local day; then move it on."""
    state = SandboxState.of(settings)
    start_of_day = datetime.combine(datetime.now(settings.zone).date(), time(), settings.zone)
    clock = (state.clock or start_of_day) + advance
    SandboxState(state.first_day, clock).keep(settings)
    return clock


def source(settings: Settings) -> tuple[Source, date]:
    """The sandbox's records, and the local day on which they begin.

    Raises:
        SettingsError: a file to replay cannot be read, or holds no chats.
    """
    if settings.sandbox == "replay":
        replayed = _replayed(settings)
        first = replayed.chats(ChatQuery(limit=1, descending=False), datetime.now(UTC)).records[0]
        return replayed, date.fromisoformat(first["created_at"][:10])
    state = SandboxState.of(settings)
    if not SandboxState.exists(settings):
        state.keep(settings)
    account = Account(
        first_day=state.first_day,
        days=settings.sandbox_days + 366 * _YEARS_AHEAD,
        seed=settings.sandbox_seed,
        chats_per_day=settings.sandbox_chats_per_day,
        zone=settings.timezone,
    )
    return GeneratedSource(account), state.first_day


def held_at(settings: Settings) -> datetime | None:
    """Where the sandbox's clock is held; None for real time. A replay's stands where its last chat was made."""
    if settings.sandbox == "replay" and not settings.sandbox_clock:
        last = _replayed(settings).chats(ChatQuery(limit=1), datetime.now(UTC)).records
        return datetime.fromisoformat(last[0]["created_at"]).replace(tzinfo=settings.zone)
    return SandboxState.of(settings).clock


def clock(settings: Settings) -> Clock:
    """The held clock, or real time."""
    held = held_at(settings)
    return FrozenClock(held) if held else system_clock


def secret(settings: Settings) -> str:
    """The client secret that the sandbox takes."""
    return f"sandbox-{settings.sandbox_seed}"


def _replayed(settings: Settings) -> ReplaySource:
    try:
        records = ReplaySource(*settings.sandbox_files)
    except (ReplayFileError, OSError) as error:
        raise SettingsError(f"B2CHAT_SANDBOX_FILES: {error}") from None
    if not records.chats(ChatQuery(limit=1), datetime.now(UTC)).total:
        raise SettingsError("B2CHAT_SANDBOX_FILES: the files hold no chats")
    return records


def _path(settings: Settings) -> Path:
    return settings.data_path / "sandbox.json"
