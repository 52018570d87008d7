"""Rows that are copied from another Postgres: what a reader of such a source gives (see `sources/contract.py`).

They go from one server to the other block by block, as COPY gives and takes them: nobody reads them in between.
"""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Protocol

from dagster_project.sources.records import Problem, Rejected


class CopiedRows(Protocol):
    """The rows of a page that are copied from another Postgres: the same ones each time that they are asked for."""

    @property
    def has_transactions(self) -> bool:
        """Whether the mark by which rows are in order is the transaction that wrote them."""

    @property
    def fields(self) -> AbstractSet[tuple[str, str]]:
        """The fields of the rows, with their JSON types."""

    def write_to(self, write: Callable[[bytes | memoryview], None]) -> int:
        """Give the rows block by block, as text of COPY: mark, whether it tells of a row that is gone, content
        hash, payload.

        Returns:
            how many bytes they are.

        Raises:
            UnreadableRow: one of them cannot be given.
            SourceError: the source failed.
        """

    def halves(self) -> Sequence["CopiedRows"]:
        """The same rows in two parts; none where it is one row."""

    def rejected(self, problem: Problem) -> Rejected:
        """The one row that cannot land, as quarantine keeps it. Raises SourceError."""

    def resume_point(self, mark: str, keys: Sequence[str]) -> str:
        """Where a reading goes on that was interrupted after the row with this mark and these keys."""


class HeldKeys(Protocol):
    """The keys of all rows of a month that the source holds, or of all rows: what `raw` has beside them is gone."""

    @property
    def month(self) -> str | None:
        """The month, YYYY-MM; None: all rows."""

    def write_to(self, write: Callable[[bytes | memoryview], None]) -> None:
        """Give the keys block by block, as text of COPY. Raises SourceError."""

    def moved(self, keys: Sequence[str]) -> AbstractSet[str]:
        """Those of some keys whose row is there still, under another key or in another month. Raises SourceError."""
