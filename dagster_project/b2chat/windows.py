"""Reading the whole of a window of days, page after page, and knowing whether it was the whole.

Pages are cut by offset from a list that may move meanwhile. So a window is read in ascending order, its distinct
records are counted against the total that B2Chat names, and it is read once more from the start when they disagree.
"""

import logging
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from dagster_project.b2chat.answers import Item
from dagster_project.b2chat.records import Entity, Record, Rejected, read_record

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Window:
    """Days of one entity, both ends included; None leaves an end open.

    Attributes:
        by: which day of a record selects it. Chats can only be asked for by the day they were created.
    """

    entity: Entity
    day_from: date | None = None
    day_to: date | None = None
    by: Literal["created", "updated"] = "created"

    def __str__(self) -> str:
        if self.day_from is None and self.day_to is None:
            return "all"
        if self.day_from == self.day_to:
            return f"{self.by} {self.day_from}"
        return f"{self.by} {self.day_from or ''}..{self.day_to or ''}"


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of an export, as the client brings it.

    Attributes:
        items: its records, not yet judged.
        exported: how many the answer says it holds; not to be relied on.
        total: how many match the window in all, says the answer.
    """

    items: list[Item]
    exported: int | None
    total: int
    offset: int
    limit: int
    response_bytes: int
    request_ms: int


@dataclass(frozen=True, slots=True)
class WindowPage:
    """A page of a window, judged: what can land, what cannot, and what came before already.

    Attributes:
        duplicates: records dropped because an earlier record of this reading had their key.
        last: no page follows.
        whole: only on the last page: all records of the window were seen.
        distinct: the records seen so far in this reading, each once.
    """

    window: Window
    page: Page
    records: list[Record]
    rejected: list[Rejected]
    duplicates: int
    distinct: int
    last: bool
    whole: bool


Fetch = Callable[[int], Page]


def days(first: date, last: date) -> list[date]:
    """Each day from `first` to `last`, both included."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def read_window(window: Window, fetch: Fetch, *, start_offset: int = 0) -> Iterator[WindowPage]:
    """Read a window to its end: pages in ascending order, until all records that it counts were seen.

    When the first reading does not add up (records moved between the pages), the window is read once more from its
    start. When the second does not either, its last page comes with `whole` false: that is for the caller to report.

    Args:
        fetch: brings the page that starts at an offset.
        start_offset: continue a reading that was broken off at this offset; those before it count as seen.
    """
    keys_of_first = yield from _one_reading(window, fetch, start_offset, None)
    if keys_of_first is not None:
        log.info("%s %s: its records do not add up; reading it once more", window.entity, window)
        yield from _one_reading(window, fetch, 0, keys_of_first)


def _one_reading(
    window: Window, fetch: Fetch, start_offset: int, keys_of_first: set[str] | None
) -> Generator[WindowPage, None, set[str] | None]:
    """One reading from `start_offset` on. Returns None when it added up, else the keys that it saw."""
    seen: set[str] = set()
    nameless, offset, largest_total = 0, start_offset, 0
    while True:
        page = fetch(offset)
        records, rejected, duplicates = _judge(window.entity, page, seen)
        nameless += sum(1 for one in rejected if one.key is None)
        offset += len(page.items)
        distinct = start_offset + len(seen) + nameless
        brought_any = len(page.items) > duplicates
        # A full page at the total is not believed to be the last: the total may be too low.
        ended = not brought_any or (offset >= page.total and len(page.items) < page.limit)
        # Where both readings saw the same records, those that come twice do so at the source: nothing has moved.
        reached = offset if seen == keys_of_first else distinct
        # A total that shrinks means that records left, and those behind them moved up past the reader.
        whole = reached >= page.total >= largest_total
        largest_total = max(largest_total, page.total)
        last = ended and (whole or keys_of_first is not None)
        if last and not whole:
            log.warning("%s %s: %d records seen of %d; the window stays unread",
                        window.entity, window, distinct, page.total)
        yield WindowPage(window, page, records, rejected, duplicates, distinct, last, last and whole)
        if ended:
            return None if whole else seen


def _judge(entity: Entity, page: Page, seen: set[str]) -> tuple[list[Record], list[Rejected], int]:
    records: list[Record] = []
    rejected: list[Rejected] = []
    duplicates = 0
    for item in page.items:
        judged = read_record(entity, item)
        if judged.key is not None and judged.key in seen:
            duplicates += 1
            continue
        if judged.key is not None:
            seen.add(judged.key)
        if isinstance(judged, Record):
            records.append(judged)
        else:
            rejected.append(judged)
    return records, rejected, duplicates
