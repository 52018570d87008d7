"""The part of the contract (`sources/contract.py`) that is about rows that are copied from another Postgres.

They go from one server to the other block by block, as COPY gives and takes them: nobody reads them in between.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from dagster_project.sources.contract import EntitySpec, Problem, Rejected


@dataclass(frozen=True, slots=True)
class Copied:
    """How the rows of an entity land that are copied as they are.

    Attributes:
        keys: the fields of a row that make its key, in order; joined by "|" they are the key in `raw`.
        conversation: the field that names its conversation; None where none does.
        secrets: fields that never leave the source.
        deletes: the entity whose row is gone where a row of this one says so (`operation_type` is DELETE).
        people: fields that name a person.
        mentions: fields of texts or JSON in which people may stand by an id, an address or a number.
        pseudonyms: fields in which an erased person's id gives way to another one: what is counted by it stays.
        known_by: by what a person, or a conversation about one, is known by its id (see `sources/people.py`).
        personal: what stands, once one of these is erased, in the place of what a field said.
        belongs_to: the entity to whose row this one belongs, and the fields that are its key there: whom that one is
            about, this one is about too.
        month: the field of a time by whose month (UTC) its table in `raw` is partitioned; None where it is not.
        is_compared: nothing tells of rows that were deleted: each sweep compares the keys (see `HeldKeys`).
    """

    keys: tuple[str, ...]
    conversation: str | None = None
    secrets: tuple[str, ...] = ()
    deletes: "EntitySpec | None" = None
    people: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    pseudonyms: tuple[str, ...] = ()
    known_by: Callable[[str], str] = field(default=str, compare=False)
    personal: Mapping[str, object] = field(default_factory=dict, hash=False)
    belongs_to: "tuple[EntitySpec, tuple[str, ...]] | None" = None
    month: str | None = None
    is_compared: bool = False


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

    def rejected(self, problem: "Problem") -> "Rejected":
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
