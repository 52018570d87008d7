"""A source that is a list of dictionaries: all that ingestion needs to know of it is said by the contract.

Its records have a number that only grows, and no days: the one window is all of them, resumed after a number.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from dagster_project.sources.contract import (
    EntitySpec,
    History,
    KeptRecord,
    Origin,
    Page,
    Plan,
    Problem,
    Record,
    Rejected,
    Scope,
    SourceSpec,
    Window,
)

NOTES = EntitySpec(source="toy", name="notes", table="toy_notes", versions="toy_note_versions", key="note_id")
TABLES = """
    create table raw.toy_notes (like raw.b2chat_contacts including all);
    alter table raw.toy_notes rename column contact_id to note_id;
    create table raw.toy_note_versions (like raw.b2chat_contact_versions including all);
    alter table raw.toy_note_versions rename column contact_id to note_id;
"""


@dataclass(frozen=True)
class Everything:
    """All notes, in the order of their numbers."""

    day_from: date | None = None
    day_to: date | None = None
    day_read: date | None = None

    def __str__(self) -> str:
        return "all"


def read_note(note: dict[str, Any], position: int) -> Record | Rejected:
    """A note as it lands; one without a text does not."""
    data = json.dumps(note, sort_keys=True)
    key, content_hash = str(note["number"]), hashlib.sha256(data.encode()).hexdigest()
    if not note.get("text"):
        return Rejected("notes", key, Problem("text_missing", "text is empty"), data.encode(), content_hash, position)
    return Record(key, data, content_hash)


def read_kept(entity: EntitySpec, kept: KeptRecord) -> Record | Rejected | None:
    return read_note(json.loads(kept.data), kept.position)


TOY = SourceSpec("toy", (NOTES,), {"list": "a list of a test"}, read_kept)


@dataclass
class ToySource:
    """Serves `notes`, two a page. `before_page` is called before each one."""

    notes: list[dict[str, Any]]
    before_page: Callable[[int], None] = lambda number: None
    served: list[int] = field(default_factory=list)
    spec: SourceSpec = TOY

    def origin(self) -> Origin:
        return Origin("list", "memory")

    def plan(self, entity: EntitySpec, scope: Scope, history: History) -> Plan:
        return Plan([Everything()])

    def pages(self, entity: EntitySpec, window: Window, resume_point: str | None) -> Iterator[Page]:
        after = int(resume_point or 0)
        while True:
            waiting = [note for note in self.notes if note["number"] > after]
            self.before_page(len(self.served))
            page, after = waiting[:2], waiting[:2][-1]["number"] if waiting else after
            read = [read_note(note, position) for position, note in enumerate(page)]
            self.served += [note["number"] for note in page]
            is_last = len(waiting) <= 2
            yield Page(
                entity,
                window,
                [one for one in read if isinstance(one, Record)],
                [one for one in read if isinstance(one, Rejected)],
                len(page),
                is_last,
                is_last,
                resume_point=None if is_last else str(after),
            )
            if is_last:
                return

    def quota_left(self) -> int | None:
        return None
