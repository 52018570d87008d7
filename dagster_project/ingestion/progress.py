"""How far a sync has come, for whoever watches it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from dagster_project.sources.contract import Page

# Where each step of a sync is told to a terminal's bar: a logger of its own, because a run log wants fewer lines.
PROGRESS_LOGGER = "b2chat.progress"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sync has come, after a page.

    Attributes:
        window_day: the first day of the window just read; None when all days are read at once.
        done_records: records seen since the start, in `pages` pages.
        rate: records a second since the start.
        windows_left: windows not read to their end yet, of `windows_total`.
        quota_left: requests left of the day; None when there is no limit or it is not known.
        seconds_left: an estimate, from how long the windows so far took.
    """

    window_day: date | None
    done_records: int
    pages: int
    rate: float
    windows_left: int
    windows_total: int
    quota_left: int | None
    seconds_left: float


def progress(
    page: Page,
    number: int,
    windows_total: int,
    *,
    records: int,
    pages: int,
    started_at: datetime,
    quota_left: int | None,
) -> Progress:
    """How far a sync has come after a page of its window `number` (from 0)."""
    seconds = max((datetime.now(UTC) - started_at).total_seconds(), 0.001)
    of_window = 1.0 if page.is_last else min(1.0, (page.offset + page.received) / max(page.total or 0, 1))
    done = max(number + of_window, 0.001)
    return Progress(
        page.window.day_from,
        records,
        pages,
        records / seconds,
        windows_total - number - page.is_last,
        windows_total,
        quota_left,
        seconds / done * (windows_total - done),
    )
