"""What ingestion lands: the part of the contract (`sources/contract.py`) that is about single records."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from dagster_project.sources.cleaning import Cleaning
from dagster_project.sources.shapes import Shape


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
