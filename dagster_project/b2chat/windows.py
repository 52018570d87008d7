"""Reading the whole of a window of days, page after page, and knowing whether it was the whole.

Pages are cut by offset from a list that may move meanwhile. So a window is read in ascending order, its distinct
records are counted against the total that B2Chat names, and it is read once more from the start when they disagree.
"""

import hashlib
import logging
from collections.abc import Callable, Generator, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal

from dagster_project.b2chat.answers import Item
from dagster_project.b2chat.records import KEY_FIELD, Entity, Record, Rejected, read_record

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
        body, query, asked_at: the whole answer as it came, what was asked, and when.
    """

    items: list[Item]
    exported: int | None
    total: int
    offset: int
    limit: int
    response_bytes: int
    request_ms: int
    body: bytes = field(default=b"", repr=False)
    query: Mapping[str, Any] = field(default_factory=dict)
    asked_at: datetime | None = None

    def keys_digest(self, entity: Entity) -> str:
        """The same for the same records in the same order, whatever has become of each."""
        name = KEY_FIELD[entity]
        keys = [item.key_text(name) for item in self.items]
        return hashlib.sha256("\n".join(keys).encode("utf-8", "surrogateescape")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Landmark:
    """The last page that a broken-off reading of a window has landed.

    Attributes:
        offset: where the page began.
        keys_digest: of its records.
        total: the largest total that was named until then.
    """

    offset: int
    keys_digest: str
    total: int


@dataclass(frozen=True, slots=True)
class WindowPage:
    """A page of a window, judged: what can land, what cannot, and what came before already.

    Attributes:
        duplicates: records dropped because an earlier record of this reading had their key.
        last: no page follows.
        whole: only on the last page: all records of the window were seen.
        distinct: the records seen so far in this reading, each once.
        keys: only on the last page of a reading that saw the whole window from its start, and the key of each record:
            the keys of all its records. A record of the window that is not among them is gone.
    """

    window: Window
    page: Page
    records: list[Record]
    rejected: list[Rejected]
    duplicates: int
    distinct: int
    last: bool
    whole: bool
    keys: AbstractSet[str] | None = None


Fetch = Callable[[int], Page]


def days(first: date, last: date) -> list[date]:
    """Each day from `first` to `last`, both included."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def read_window(window: Window, fetch: Fetch, *, after: Landmark | None = None) -> Iterator[WindowPage]:
    """Read a window to its end: pages in ascending order, until all records that it counts were seen.

    When the first reading does not add up (records moved between the pages), the window is read once more from its
    start. When the second does not either, its last page comes with `whole` false: that is for the caller to report.

    Args:
        fetch: brings the page that starts at an offset.
        after: continue a reading that was broken off: the page of this landmark is read again, and where it still
            holds the same records nothing has moved before it, so those before it count as seen. Where it does not,
            the window is read from its start.
    """
    keys_of_first = yield from _one_reading(window, fetch, after, None)
    if keys_of_first is not None:
        log.info("%s %s: its records do not add up; reading it once more", window.entity, window)
        yield from _one_reading(window, fetch, None, keys_of_first)


def _one_reading(
    window: Window, fetch: Fetch, after: Landmark | None, keys_of_first: set[str] | None
) -> Generator[WindowPage, None, set[str] | None]:
    """One reading, from a landmark on where one is given. Returns None when it added up, else the keys it saw."""
    seen: set[str] = set()
    page = fetch(after.offset if after else 0)
    if after and page.keys_digest(window.entity) != after.keys_digest:
        log.info("%s %s: records have moved since it was broken off; reading it from its start", window.entity, window)
        after, page = None, fetch(0)
    start_offset, largest_total = (after.offset, after.total) if after else (0, 0)
    nameless, offset = 0, start_offset
    while True:
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
        keys = seen if last and whole and not after and not nameless else None
        yield WindowPage(window, page, records, rejected, duplicates, distinct, last, last and whole,
                         keys=keys)
        if ended:
            return None if whole else seen
        page = fetch(offset)


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
