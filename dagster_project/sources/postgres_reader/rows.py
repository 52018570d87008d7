"""Rows on their way: drawn from the COPY of a leaf that is under way, or, after a failure, asked for again."""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from hashlib import md5

import psycopg

from dagster_project.sources.contract import Problem, Rejected
from dagster_project.sources.people import mentioned
from dagster_project.sources.postgres_reader.server import fail
from dagster_project.sources.postgres_reader.window import Part, Position, Selection

BATCH = 50_000  # rows a page


def pages_of(selection: Selection, after: Position | None) -> Iterator[list[Part]]:
    """The parts of each page, from a position on; none where no row is left."""
    page, room = list[Part](), BATCH
    for leaf, count in _left(selection, after):
        place = after if after and after.leaf == leaf else None
        done = 0
        while done < count:
            take = min(room, count - done)
            page.append(Part(leaf, place, done, take))
            done, room = done + take, room - take
            if not room:
                yield page
                page, room = [], BATCH
    if page:
        yield page


def _left(selection: Selection, after: Position | None) -> Iterator[tuple[str, int]]:
    """The leaves that hold rows after a position, and how many."""
    leaves = list(selection.table.leaves)
    begin = leaves.index(after.leaf) if after and after.leaf in leaves else 0
    counts = selection.counts()
    for place, leaf in enumerate(leaves):
        count = selection.count_after(after) if after and leaf == after.leaf else counts.get(leaf, 0)
        if place >= begin and count:
            yield leaf, count


class _Enough(Exception):
    """Ends a COPY of which no more rows are wanted."""


class Stream:
    """The COPY that is under way on a server's connection: one at a time, rows in order."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._leaf, self._at = "", 0
        self._copy: psycopg.Copy | None = None
        self._held: AbstractContextManager[psycopg.Copy] | None = None  # a COPY that nobody holds is cancelled

    def take(self, part: Part, is_again: bool, write: Callable[[bytes | memoryview], None]) -> int:
        """Write the rows of a part; of the COPY that is under way, where they come next in it.

        Args:
            is_again: they were asked for before, so that no COPY need go on after them.

        Returns:
            how many bytes they were.
        """
        if self._copy is None or (self._leaf, self._at) != (part.leaf, part.skip) or is_again:
            self.close()
            self._begin(part if is_again else replace(part, take=2**62))
        assert self._copy
        size = 0
        for _ in range(part.take):  # one message of the server is one row, so its protocol says
            try:
                block = self._copy.read()
            except psycopg.Error as error:
                self.close()
                fail(error)
            size += len(block)
            write(block)
        self._at += part.take
        return size

    def close(self) -> None:
        """End the COPY, and forget a failure of it."""
        conn, copy, held = self._selection.server.conn, self._copy, self._held
        self._copy = self._held = None
        if copy and held and not conn.closed:
            is_at_its_end = False
            with suppress(psycopg.Error):
                is_at_its_end = not copy.read()
            with suppress(psycopg.Error):
                held.__exit__(*((None,) * 3 if is_at_its_end else (_Enough, _Enough(), None)))
            conn.execute("rollback to savepoint copying")

    def _begin(self, part: Part) -> None:
        conn = self._selection.server.conn
        try:
            conn.execute("savepoint copying")
            self._held = conn.cursor().copy(self._selection.copy(part))
            self._copy = self._held.__enter__()
        except psycopg.Error as error:
            self._held = None
            conn.execute("rollback to savepoint copying")
            fail(error)
        self._leaf, self._at = part.leaf, part.skip


@dataclass(frozen=True, slots=True)
class Copying:
    """The rows of a page. Implements `contract.CopiedRows`."""

    selection: Selection
    stream: Stream
    parts: Sequence[Part]
    is_again: bool = False

    @property
    def has_transactions(self) -> bool:
        """Whether rows are marked by the transaction that wrote them."""
        return self.selection.mark.is_transaction

    @property
    def fields(self) -> AbstractSet[tuple[str, str]]:
        """The columns, with the JSON types that they get."""
        copied = self.selection.entity.copied
        return {one for one in self.selection.table.fields.items() if copied and one[0] not in copied.secrets}

    def write_to(self, write: Callable[[bytes | memoryview], None]) -> int:
        """Give the rows. Raises UnreadableRow, SourceError."""
        return sum(self.stream.take(part, self.is_again, write) for part in self.parts)

    def halves(self) -> Sequence["Copying"]:
        """The same rows in two parts; none where it is one."""
        rows = sum(part.take for part in self.parts)
        if rows == 1:
            return ()
        first, second, room = list[Part](), list[Part](), rows // 2
        for part in self.parts:
            take = min(room, part.take)
            if take:
                first.append(replace(part, take=take))
            if take < part.take:
                second.append(replace(part, skip=part.skip + take, take=part.take - take))
            room -= take
        return [replace(self, parts=half, is_again=True) for half in (first, second)]

    def rejected(self, problem: Problem) -> Rejected:
        """The one row, as quarantine keeps it. Raises SourceError."""
        self.stream.close()
        [(keys, people, data)] = self.selection.server.rows(self.selection.one(self.parts[0]))
        known = md5(data, usedforsecurity=False).hexdigest()
        entity, place = self.selection.entity, self.parts[0].skip
        if entity.copied and entity.copied.mentions:
            people = [*people, *mentioned(data.decode(errors="replace"))]
        return Rejected(entity.name, "|".join(keys), problem, data, known, place, tuple(filter(None, people)))

    def resume_point(self, mark: str, keys: Sequence[str]) -> str:
        """Where a reading goes on that was interrupted after the page's last row."""
        return Position(self.parts[-1].leaf, mark, tuple(keys)).to_text(self.selection.window)
