"""Of a report: what is open, and how much of the account was read."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Backlog:
    """Chats open at the midnight that begins a day, and how many of them waited; None where that is not known."""

    day: date
    open_count: int | None
    waiting_for_pickup_count: int | None
    waiting_for_answer_count: int | None
    over_1d_count: int | None
    over_7d_count: int | None


@dataclass(frozen=True)
class QualityRule:
    """A rule that records broke: how many, of how many looked at. `label_*` say what it is."""

    subject: str
    rule: str
    severity: str
    label_es: str
    label_en: str
    broken_count: int
    checked_count: int


@dataclass(frozen=True)
class Coverage:
    """How much of the period was read from B2Chat, and what could not be taken.

    `days_read_whole` counts the days of the period that a sync read to the end after they were over or as far as
    they had come; quarantine is what waits now for a fix, whenever it came.
    """

    day_count: int
    days_read_whole: int
    failed_syncs: int
    quarantined_count: int
    rules: tuple[QualityRule, ...]


@dataclass(frozen=True)
class TableGrowth:
    """A table of the warehouse that comes to a number of rows, and when, as the nightly audit projects it."""

    schema_name: str
    table_name: str
    row_count: int
    daily_row_growth: float
    threshold_row_count: int
    reached_date: date
