"""Reading all of a window of days, page after page, and knowing whether it was all.

Pages are cut by offset from a list that may move meanwhile: a record that leaves moves those behind it up past the
reader, and one that arrives makes up for it in the total. So a window counts as fully read only when

- one answer held all that it counts, each record once; or
- two passes agree: the first saw as many records as the total says, and the second saw each of them again, and as many
  as its total says. What the first saw was there when its last page was cut, as it was there still in the second; and
  it was as much as there was in all. So nothing had been missed. Records that arrive meanwhile come after these.

A third pass is made where the second differs from the first. Where two passes saw the same and it does not add up, none
can help: B2Chat counts what it does not give, or gives one record in the place of another.
"""

import hashlib
import logging
import re
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal, Self

from dagster_project.sources.b2chat.answers import Item, keys_digest
from dagster_project.sources.b2chat.entities import ENTITIES
from dagster_project.sources.b2chat.reader import ReadAnswer
from dagster_project.sources.b2chat.records import KEY_FIELD, Entity, read_record
from dagster_project.sources.contract import Answer, Page, Record, Rejected

log = logging.getLogger(__name__)

MAX_PASSES = 3
_SEEN = r"\d+:[0-9a-f]+:\d+"
_RESUME_POINT = re.compile(
    r"offset \d+ after page (?P<page>\d+) of (?P<digest>[0-9a-f]+)"
    rf" seen (?P<before>{_SEEN})(?: confirming (?P<earlier>{_SEEN}))?"
)


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

    @property
    def day_read(self) -> date | None:
        """A day of chats counts as read by itself; of contacts the plan says it."""
        return self.day_from if self.entity == "chats" and self.day_from == self.day_to else None

    @property
    def tells_deletions(self) -> bool:
        """Whether it must hold each record that belongs there: chats have a creation day, contacts none but all."""
        if self.entity == "chats":
            return bool(self.day_from and self.day_to)
        return self.day_from is None and self.day_to is None


@dataclass(frozen=True, slots=True)
class ExportPage:
    """One answer of an export, as the client brings it.

    Attributes:
        items: its records, not yet validated; none where they have been `read`.
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
    read: ReadAnswer | None = None

    @property
    def received(self) -> int:
        """How many records it holds."""
        return len(self.read.records if self.read else self.items)

    def keys_digest(self, entity: Entity) -> str:
        """The same for the same records in the same order, whatever has become of each."""
        return self.read.keys_digest if self.read else keys_digest(self.items, KEY_FIELD[entity])

    def validated(self, entity: Entity) -> Iterable[Record | Rejected]:
        """Its records, validated, in their order."""
        return self.read.records if self.read else (read_record(entity, item) for item in self.items)


@dataclass(frozen=True, slots=True)
class Seen:
    """Which records a pass has seen, in a form that a checkpoint can hold.

    Attributes:
        count: how many, each once; of those without a usable key, each time that one came.
        digest: the same for the same records in whatever order.
        total: how many there are, said the newest page.
    """

    count: int = 0
    digest: int = 0
    total: int = 0

    @property
    def adds_up(self) -> bool:
        """Whether it is as many as there are."""
        return self.count == self.total

    def plus(self, name: str) -> "Seen":
        """These and one more."""
        one = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
        return Seen(self.count + 1, (self.digest + one) % 2**64, self.total)

    def same_as(self, other: "Seen") -> bool:
        """Whether both have seen the same records."""
        return (self.count, self.digest) == (other.count, other.digest)

    def __str__(self) -> str:
        return f"{self.count}:{self.digest:x}:{self.total}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """What its text says."""
        count, digest, total = text.split(":")
        return cls(int(count), int(digest, 16), int(total))


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """The last page that an interrupted reading of a window has landed.

    Attributes:
        offset: where the page began.
        keys_digest: of its records.
        before: what its pass had seen before this page.
        earlier: what the pass before its own had seen; None in a first pass.
    """

    offset: int
    keys_digest: str
    before: Seen
    earlier: Seen | None = None

    @classmethod
    def from_text(cls, text: str) -> Self | None:
        """What `to_text` wrote; None where it is no resume point."""
        at = _RESUME_POINT.fullmatch(text)
        if not at:
            return None
        earlier = Seen.from_text(at["earlier"]) if at["earlier"] else None
        return cls(int(at["page"]), at["digest"], Seen.from_text(at["before"]), earlier)

    def to_text(self, next_offset: int) -> str:
        """`offset 2000 after page 1000 of 5f2c… seen 1000:9ab1…:1700`, and in a second pass what it is `confirming`.

        Args:
            next_offset: where the next page begins, for whoever reads it.
        """
        confirming = f" confirming {self.earlier}" if self.earlier else ""
        return f"offset {next_offset} after page {self.offset} of {self.keys_digest} seen {self.before}{confirming}"


Fetch = Callable[[int], ExportPage]


def days(first: date, last: date) -> list[date]:
    """Each day from `first` to `last`, both included."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def read_window(window: Window, fetch: Fetch, *, after: ResumePoint | None = None) -> Iterator[Page]:
    """Read a window to its end: pages in ascending order, in as many passes as it takes to know that they were all.

    Each record comes as it was seen first, and again only where a later pass sees it changed. When no passes agree,
    the last page comes with `is_complete` false: that is for the caller to report.

    Args:
        fetch: brings the page that starts at an offset.
        after: continue a reading that was interrupted: the page of this resume point is read again, and where it still
            holds the same records nothing has moved before it, so those before it count as seen. Where it does not,
            the pass begins anew.
    """
    earlier, brought = after.earlier if after else None, dict[str, int]()
    for number in range(1, MAX_PASSES + 1):
        one = _Pass(window, fetch, earlier, brought, is_last=number == MAX_PASSES)
        if (yield from one.pages(after)):
            return
        log.info(
            "%s %s: %d records seen of %d; reading it once more to be sure",
            window.entity,
            window,
            one.seen.count,
            one.seen.total,
        )
        earlier, after = one.seen, None


class _Pass:
    """One way through a window, from its start or from a resume point.

    Args:
        earlier: what the pass before has seen.
        brought: a hash of the newest content of each record, as any pass has brought it.
        is_last: no other may follow.
    """

    def __init__(
        self, window: Window, fetch: Fetch, earlier: Seen | None, brought: dict[str, int], *, is_last: bool
    ) -> None:
        self.window, self._fetch, self._earlier, self._brought, self._is_last = window, fetch, earlier, brought, is_last
        self.seen, self._agrees = Seen(), False
        self._keys, self._keyless = set[str](), Counter[str]()

    def pages(self, after: ResumePoint | None) -> Generator[Page, None, bool]:
        """The pages. Returns whether the window is done with."""
        page = self._fetch(after.offset if after else 0)
        if after and page.keys_digest(self.window.entity) != after.keys_digest:
            log.info(
                "%s %s: records have moved since it was interrupted; reading it from its start",
                self.window.entity,
                self.window,
            )
            after, page = None, self._fetch(0)
        self._see(after.before if after else Seen())
        in_one_answer = not after
        while True:
            before, offset = self.seen, page.offset
            records, rejected, duplicates, repeated = self._validate(page)
            received, mark = (
                page.received,
                ResumePoint(page.offset, page.keys_digest(self.window.entity), before, self._earlier),
            )
            page = replace(page, items=[], read=None)
            self.seen = Seen(self.seen.count, self.seen.digest, page.total)
            fresh = received - duplicates
            if received:
                in_one_answer = (
                    in_one_answer and offset == 0 and self.seen.adds_up and (not duplicates and received <= page.limit)
                )
            # No further than what was new: where records come twice in a page, others may have given way to them.
            offset += min(fresh, page.limit)
            # A full page at the total is not believed to be the last: the total may be too low.
            ended = not fresh or (offset >= page.total and received < page.limit)
            whole = ended and self._is_whole(in_one_answer)
            last = ended and (whole or self._is_last or self._is_stuck())
            if last and not whole:
                log.warning(
                    "%s %s: %d records seen of %d; the window stays unread",
                    self.window.entity,
                    self.window,
                    self.seen.count,
                    page.total,
                )
            yield Page(
                ENTITIES[self.window.entity],
                self.window,
                records,
                rejected,
                received,
                is_last=last,
                is_complete=whole,
                offset=page.offset,
                total=page.total,
                duplicates=duplicates,
                repeated=repeated,
                distinct=self.seen.count,
                resume_point=None if last else mark.to_text(page.offset + received),
                keys=self._keys if whole and not after and self.window.tells_deletions else None,
                keyless=self._keyless,
                answer=Answer(
                    page.response_bytes,
                    page.request_ms,
                    page.exported,
                    page.body,
                    f"/{self.window.entity}/export",
                    page.query,
                    page.asked_at,
                ),
            )
            if ended:
                return last
            del page, records, rejected  # two large pages must not meet in memory
            page = self._fetch(offset)

    def _is_whole(self, in_one_answer: bool) -> bool:
        confirmed = self._earlier is not None and self._earlier.adds_up and self._agrees
        return self.seen.adds_up and (in_one_answer or confirmed)

    def _is_stuck(self) -> bool:
        """Whether the pass before has seen the very same, and it does not add up."""
        return self._earlier is not None and self.seen.same_as(self._earlier) and not self.seen.adds_up

    def _see(self, seen: Seen) -> None:
        self.seen = seen
        if self._earlier and seen.count == self._earlier.count:
            self._agrees = seen.same_as(self._earlier)

    def _validate(self, page: ExportPage) -> tuple[list[Record], list[Rejected], int, int]:
        records: list[Record] = []
        rejected: list[Rejected] = []
        duplicates = repeated = 0
        for validated in page.validated(self.window.entity):
            if validated.key is not None and validated.key in self._keys:
                duplicates += 1
                continue
            name, content = self._note(validated), hash(validated.content_hash)
            if self._brought.get(name) == content:
                repeated += 1
            elif isinstance(validated, Record):
                records.append(validated)
            else:
                rejected.append(validated)
            self._brought[name] = content
        return records, rejected, duplicates, repeated

    def _note(self, validated: Record | Rejected) -> str:
        """Count a record as seen. Returns what it is known by: its key, or its content and how often that came."""
        if validated.key is not None:
            self._keys.add(validated.key)
            self._see(self.seen.plus(validated.key))
            return validated.key
        self._keyless[validated.content_hash] += 1
        self._see(self.seen.plus(validated.content_hash))
        return f"\0{validated.content_hash} {self._keyless[validated.content_hash]}"
