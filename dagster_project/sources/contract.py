"""What a source is: the one thing that ingestion knows of sources, and all that a source has to offer.

A source names its entities (`SourceSpec`, `EntitySpec`); as a `Source` it plans windows and reads them page by page.
A window is whatever the source can read to its end and go on with later: a day, all records after a cursor, a file.
Ingestion lands the pages, keeps the checkpoints, the sync log and the quarantine, and knows no source by name.
"""

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from dagster_project.sources.cleaning import Cleaning
from dagster_project.sources.copied import Copied, CopiedRows, HeldKeys
from dagster_project.sources.people import MENTION, PHONE_DIGITS
from dagster_project.sources.planning import History, Mode, OpenWindow, Plan, Scope, Watermark, Window
from dagster_project.sources.shapes import Shape

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


class SourceError(Exception):
    """A request to a source that did not bring what was asked for. The text is safe to show anywhere.

    Args:
        cause: what happened: no secret, no token, no record's content.
        endpoint: what was asked, as `GET /chats/export`.
        window: what part of it, where it was a page of a window.
        attempts: how often it was tried.
    """

    system: ClassVar[str] = "the source"

    def __init__(self, cause: str, endpoint: str = "", window: str = "", attempts: int = 1) -> None:
        super().__init__(cause, endpoint, window, attempts)
        self.cause = cause
        self.endpoint = endpoint
        self.window = window
        self.attempts = attempts

    def __str__(self) -> str:
        place = f"{self.endpoint} ({self.window})" if self.window else self.endpoint
        tries = f" after {self.attempts} attempts" if self.attempts > 1 else ""
        return f"{place or self.system}: {self.cause}{tries}"


class UnreadableWindow(SourceError):
    """A window that cannot be read, or not to its end; others can. It is tried again by the next sync."""

    def __str__(self) -> str:
        return self.cause


class UnreadableRow(SourceError):
    """Among the rows that were to be copied is one that the source cannot give."""


class QuotaExhausted(SourceError):
    """The day's quota of requests is used up. The next day continues."""


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
class Problem:
    """A rule that a record breaks. `detail` names the field and the kind of fault, never the content."""

    rule: str
    detail: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """Something that cannot be used as it is: a whole record, or a part of a record that is kept.

    Attributes:
        entity_type: the entity's name, or one of its `parts` (then `key` is that of its record, which has landed).
        key: the record's key, where it could be read.
        data: the exact bytes as they came (of a part: its canonical JSON).
        content_hash: the same for the same faulty content each time that it is met.
        position: the record's place in its page, from 0.
        people: by what the person is known that it is about (see `sources/people.py`), where it could be read.
    """

    entity_type: str
    key: str | None
    problem: Problem
    data: bytes
    content_hash: str
    position: int
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """A record that can land.

    Attributes:
        payload: its JSON, canonical and cleaned, texts that are far too long cut.
        content_hash: tells a changed record from an unchanged one; by nothing cut, less what changes without meaning.
        exact: its exact bytes, only where something had to be cleaned; its whole canonical JSON where texts were cut
            and nothing else.
        cleaned: what was cleaned or cut, and where.
        rejected_parts: parts of it that cannot be read; the payload still holds them.
        shapes: of the record as it came, and of all in it; empty where its fields are not watched.
        columns: values of `EntitySpec.columns`.
        parent: the key of the companion to which it belongs: that takes the load of a new or changed record.
        companion: the companion itself, with the record that speaks for it.
        people: by what the person is known that it is about (see `sources/people.py`); empty where it is about none.
    """

    key: str
    payload: str
    content_hash: str
    exact: bytes | None = None
    cleaned: list[Cleaning] = field(default_factory=list)
    rejected_parts: list[Rejected] = field(default_factory=list)
    shapes: AbstractSet[Shape] = frozenset()
    columns: tuple[object, ...] = ()
    parent: str | None = None
    companion: "Record | None" = None
    people: tuple[str, ...] = ()


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
