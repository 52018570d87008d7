"""The part of the contract (`sources/contract.py`) that says what a sync is to read, what earlier ones have read, and
which windows follow from both."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Protocol

Mode = Literal["incremental", "full", "backfill", "sweep"]


class Window(Protocol):
    """What is read to its end in one go. Its text is its name in checkpoints: the same for the same window."""

    @property
    def day_from(self) -> date | None:
        """The first day by which it selects; None where it has none."""

    @property
    def day_to(self) -> date | None:
        """The last one, included."""

    @property
    def day_read(self) -> date | None:
        """The day that counts as read when this window is fully read; None where the plan says it, or nobody."""

    def __str__(self) -> str: ...

    def __hash__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Scope:
    """What a sync is asked to read. Days are those of the account's zone; a source without days ignores them.

    Attributes:
        mode: "incremental" reads what was never fully read, what is recent and what may have changed; "full"
            everything from `start_date`; "backfill" the days `day_from` to `day_to`; "sweep" the last `sweep_days`
            days (where nothing is read by day: as "incremental", and what may have been missed or deleted is looked
            for).
        today: the current day; it is read but never counts as fully read.
        start_date: the first day to read; None for no limit.
        lookback_days: recent days that each incremental sync reads again.
        sweep_days: recent days of which an incremental sync reads those that were not read for a day.
    """

    mode: Mode
    today: date
    start_date: date | None = None
    lookback_days: int = 3
    sweep_days: int = 30
    day_from: date | None = None
    day_to: date | None = None

    def __post_init__(self) -> None:
        if self.start_date and self.start_date > self.today:
            raise ValueError(f"start_date {self.start_date} is after today, {self.today}")
        given = self.day_from is not None, self.day_to is not None
        if given != (self.mode == "backfill",) * 2:
            raise ValueError("day_from and day_to belong to a backfill, and a backfill needs both")
        if self.day_from and self.day_to and not self.day_from <= self.day_to <= self.today:
            raise ValueError(f"day_from {self.day_from}, day_to {self.day_to} and today must be in this order")


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far a source is read that has a mark on each row by which it is known which are new.

    Attributes:
        mode: what the mark is.
        value: all rows whose mark is below it have been read.
        system: the server and the tables that were read: of others, and of restored ones, the value says nothing.
        may_miss: rows may get a mark below it later on, and are missed.
        ceiling_age_seconds: for how long the oldest transaction that is open at the source has held the value back;
            None where none has, or the source does not tell.
        ceiling_holder_pid: the process at the source whose transaction that is.
    """

    mode: str
    value: str
    system: str
    may_miss: bool = False
    ceiling_age_seconds: int | None = None
    ceiling_holder_pid: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The windows of one sync, in order.

    Attributes:
        days_waiting: older days that may have changed and are left to later syncs.
        reads_up_to: the day that counts as read once all windows are fully read, where no single window stands for one.
        watermark: how far the entity is read then, where its rows have a mark.
    """

    windows: Sequence[Window]
    days_waiting: int = 0
    reads_up_to: date | None = None
    watermark: Watermark | None = None


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """A window in which an earlier sync was interrupted.

    Attributes:
        resume_point: what the last landed page of it said.
        reads_up_to: what that sync's plan said.
    """

    resume_point: str
    reads_up_to: date | None


class History(Protocol):
    """What earlier syncs of an entity have read, as ingestion knows it."""

    @property
    def open_windows(self) -> Mapping[str, OpenWindow]:
        """The windows to resume, by their text."""

    @property
    def resumed_since(self) -> datetime | None:
        """When the interrupted reading began that this sync goes on with; None where it begins anew."""

    @property
    def watermark(self) -> Watermark | None:
        """How far it was read; None where that is not known."""

    def days_landed(self, field: str) -> Mapping[date, tuple[int, int]]:
        """Of each day (UTC) of a field that holds a time: how many rows have landed and are there, and the sum of their
        content hashes (the first 15 hexadecimal digits of each, as a number)."""

    def keys_landed(self) -> Mapping[str | None, tuple[int, int]]:
        """Of each month (YYYY-MM) of rows that are copied, or of all (None) where they have none: how many have landed
        and are there, and the sum of their keys' hashes (the first 15 hexadecimal digits of md5, as a number)."""

    def days_read(self) -> Mapping[date, datetime]:
        """The days that were fully read, and when last."""

    def days_that_may_change(self, today: date) -> Mapping[date, date | None]:
        """Days of records that may still change and that no sync of today has read, longest unread first; with each the
        day of the sync that read it last."""

    def windows_read(self) -> AbstractSet[str]:
        """The names of the files that were landed."""

    def completed_at(self, window: str) -> datetime | None:
        """When a window was last fully read."""

    def read_in_vain_up_to(self, window: str, since: datetime) -> date | None:
        """The day up to which a window was read since then, to its end, and did not add up."""
