"""What a source is: the one thing that ingestion knows of sources, and all that a source has to offer.

A source names its entities (`SourceSpec`, `EntitySpec`); as a `Source` it plans windows and reads them page by page.
A window is whatever the source can read to its end and go on with later: a day, all records after a cursor, a file.
Ingestion lands the pages, keeps the checkpoints, the sync log and the quarantine, and knows no source by name.
"""

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from dagster_project.sources.copied import CopiedRows, HeldKeys
from dagster_project.sources.errors import QuotaExhausted, SourceError, UnreadableRow, UnreadableWindow
from dagster_project.sources.people import MENTION, PHONE_DIGITS
from dagster_project.sources.planning import History, Mode, OpenWindow, Plan, Scope, Watermark, Window
from dagster_project.sources.records import Problem, Record, Rejected

if TYPE_CHECKING:  # a process that only reads answers knows no database, and is to start fast
    import psycopg

__all__ = [
    "MAX_KEY_LENGTH",
    "MENTION",
    "PHONE_DIGITS",
    "YEARS",
    "Answer",
    "Copied",
    "CopiedRows",
    "EntitySpec",
    "HeldKeys",
    "History",
    "KeptRecord",
    "Mode",
    "OpenWindow",
    "Origin",
    "Page",
    "Plan",
    "Problem",
    "QuotaExhausted",
    "Record",
    "Rejected",
    "Scope",
    "Source",
    "SourceError",
    "SourceSpec",
    "UnreadableRow",
    "UnreadableWindow",
    "Watermark",
    "Window",
]

MAX_KEY_LENGTH = 200  # characters
YEARS = range(1990, 2101)  # a time of another year is a fault, not a time


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


@dataclass(frozen=True, slots=True)
class EntitySpec:
    """One kind of record of a source, and the tables of `raw` in which its records land.

    Attributes:
        source, name: together its key in `ops`: ("b2chat", "chats").
        table: its table in `raw`, one row a record, the newest version.
        versions: the table of superseded versions; None where none are kept.
        key: the key's column in both.
        columns: columns of the table beside key and payload, as `Record.columns` fills them when a record is new.
        month: the one of `columns` by which the table is partitioned: the first day of a month, which may change with
            the record; None where it is not.
        companion: the entity to which records of this one belong (a message's chat), where its records come with them.
        parts: kinds of parts of a record that can be refused by themselves, as quarantine names them ("message").
        day_field: the payload's field that begins with the day by which windows select; None where no field does.
        may_change: an SQL condition on the table's rows that may still change; None where that is not known.
        is_resumed_always: an interrupted window is resumed however long ago that was.
        is_by_file: windows are files: each lands whole or not at all, and is remembered by its name when it has.
        after_page: what else a page changes, in its transaction, by the source's own SQL.
        faults_have_keys: the key of what was refused is the record's own: the fault is over when it comes again.
        deletion_reason: what a row says that is marked as deleted.
        without_person: a record of an erased person as it may land, with a token in the person's place; None where it
            may not land at all.
        people_in: by what a person is known in bytes that could not be read as a record (see `sources/people.py`).
        copied: how its rows land, where they are copied from another Postgres; None where they are read as records.
    """

    source: str
    name: str
    table: str
    versions: str | None
    key: str
    columns: tuple[str, ...] = ()
    month: str | None = None
    companion: "EntitySpec | None" = None
    parts: tuple[str, ...] = ()
    day_field: str | None = None
    may_change: str | None = None
    is_resumed_always: bool = True
    is_by_file: bool = False
    faults_have_keys: bool = True
    after_page: "Callable[[psycopg.Connection, Page], None] | None" = None
    deletion_reason: str = "not returned any more"
    without_person: "Callable[[Record, str], Record | None]" = field(default=lambda record, token: None, compare=False)
    people_in: Callable[[bytes], tuple[str, ...]] = field(default=lambda data: (), compare=False)
    copied: Copied | None = None

    @property
    def id(self) -> tuple[str, str]:
        """Its key in `ops`: source and name."""
        return self.source, self.name


@dataclass(frozen=True, slots=True)
class Answer:
    """How a page came: what the logs of loads and of answers keep of it.

    Attributes:
        size: bytes.
        milliseconds: from the request to its last byte.
        exported: how many records the answer says it holds; not to be relied on.
        body: the whole answer as it came; empty where none is kept.
        endpoint, query, asked_at: what was asked, and when.
    """

    size: int = 0
    milliseconds: int = 0
    exported: int | None = None
    body: bytes = field(default=b"", repr=False)
    endpoint: str = ""
    query: Mapping[str, Any] = field(default_factory=dict)
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a window, validated: what can land, and what cannot.

    Attributes:
        received: how many records came.
        offset: how many of the window came before it.
        total: how many the window holds in all, as far as the source says.
        duplicates: records dropped because an earlier record of this pass had their key.
        repeated: records dropped because an earlier pass had brought them as they are.
        distinct: the records seen so far, each once.
        is_last: no page follows.
        is_complete: only on the last page: all records of the window were seen.
        resume_point: where a reading that is interrupted after this page goes on, in the source's own words.
        keys: only on the last page, and only where it can tell what is gone: the keys of all records of the window. A
            known record of the window that is not among them is gone, or has lost its key.
        keyless: with `keys`: the content hashes of the records without a usable key, and how often each came.
        copied: its rows, where they are copied as they are: then there are no records, and the resume point is theirs.
        held: what the source holds, where nothing lands, and what is gone is looked for.
    """

    entity: EntitySpec
    window: Window
    records: list[Record]
    rejected: list[Rejected]
    received: int
    is_last: bool
    is_complete: bool
    offset: int = 0
    total: int | None = None
    duplicates: int = 0
    repeated: int = 0
    distinct: int = 0
    resume_point: str | None = None
    keys: AbstractSet[str] | None = None
    keyless: Mapping[str, int] = field(default_factory=dict)
    answer: Answer = field(default_factory=Answer)
    copied: CopiedRows | None = None
    held: HeldKeys | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Who answers: the kind ("b2chat", "sandbox") and the address."""

    kind: str
    address: str


class Source(Protocol):
    """A source that can be read now. Not for several threads at once."""

    @property
    def spec(self) -> "SourceSpec": ...

    def origin(self) -> Origin:
        """Who answers. Raises SourceError."""

    def plan(self, entity: EntitySpec, scope: Scope, history: History) -> Plan:
        """The windows that a sync reads."""

    def pages(self, entity: EntitySpec, window: Window, resume_point: str | None) -> Iterator[Page]:
        """The pages of a window, to its end; from a resume point where one is given that still holds.

        Raises:
            UnreadableWindow: this window cannot be read.
            SourceError: the source failed; what came before stays.
        """

    def quota_left(self) -> int | None:
        """How many requests are left of the day; None where there is no limit or it is not known."""


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """What quarantine has kept: `kind` is an entity's name or that of a part, `data` the exact bytes."""

    kind: str
    rule: str
    data: bytes
    position: int


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """What is known of a source without reading it.

    Attributes:
        name: its key in `ops`.
        origins: what each kind of `Origin` is called in messages.
        read_kept: validates again what was refused: a record that may land now, what is still wrong with it, or None
            for a sound part of a record that has landed. None: its rows are copied, and tried again as they are.
        is_continuous: new records come all the time, so that no success for a while is trouble. Not so where people
            bring files now and then: such a source is not missed before its first one.
    """

    name: str
    entities: tuple[EntitySpec, ...]
    origins: Mapping[str, str]
    read_kept: Callable[[EntitySpec, KeptRecord], Record | Rejected | None] | None = None
    is_continuous: bool = True

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables of `raw` whose rows carry the load that last wrote them."""
        entities = [*self.entities, *(one.companion for one in self.entities if one.companion)]
        return tuple(entity.table for entity in entities)

    def entity(self, name: str) -> EntitySpec:
        """The entity of this name. Raises KeyError."""
        return {entity.name: entity for entity in self.entities}[name]
