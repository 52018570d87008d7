"""Copied rows that went to quarantine, tried again from the bytes that are kept of them."""

import json
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import md5
from typing import Protocol

from dagster_project.sources.contract import EntitySpec, Problem, Rejected


class Kept(Protocol):
    """A row of quarantine."""

    @property
    def rule(self) -> str: ...

    @property
    def payload_bytes(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class KeptRows:
    """Rows as they came, by no transaction that is known any more. Implements `contract.CopiedRows`.

    Attributes:
        gone: those, by their place, that tell of a row that is gone, and has not come back since.
    """

    entity: EntitySpec
    rows: Sequence[Kept]
    gone: AbstractSet[int] = frozenset()
    has_transactions: bool = False
    fields: AbstractSet[tuple[str, str]] = frozenset()

    def write_to(self, write: Callable[[bytes | memoryview], None]) -> int:
        """Give the rows."""
        block = b"".join(
            b"0\t%b\t%b\t%b\n"
            % (b"t" if place in self.gone else b"f", _hash(row).encode(), _as_copied(row.payload_bytes))
            for place, row in enumerate(self.rows)
        )
        write(block)
        return len(block)

    def halves(self) -> Sequence["KeptRows"]:
        """The same rows in two parts; none where it is one."""
        half = len(self.rows) // 2
        if not half:
            return ()
        first, second = self.rows[:half], self.rows[half:]
        later = {place - half for place in self.gone if place >= half}
        return [replace(self, rows=first), replace(self, rows=second, gone=later)]

    def rejected(self, problem: Problem) -> Rejected:
        """The one row, by the rule of before: it is in quarantine once."""
        [row] = self.rows
        return Rejected(
            self.entity.name, None, replace(problem, rule=row.rule), row.payload_bytes, _hash(row), position=0
        )

    def resume_point(self, mark: str, keys: Sequence[str]) -> str:
        """None is needed: what has landed is resolved."""
        return "quarantine"


def deleted_key(entity: EntitySpec, row: Kept) -> str | None:
    """The key of the row that a row of history says was deleted; None where it does not."""
    deletes = entity.copied and entity.copied.deletes
    told: Mapping[str, object] = {}
    with suppress(ValueError):
        told = json.loads(row.payload_bytes)
    if not deletes or not deletes.copied or told.get("operation_type") != "DELETE":
        return None
    return "|".join(str(told.get(key)) for key in deletes.copied.keys)


def _hash(row: Kept) -> str:
    return md5(row.payload_bytes, usedforsecurity=False).hexdigest()


def _as_copied(data: bytes) -> bytes:
    """A value in the text of COPY."""
    for character, written in ((b"\\", b"\\\\"), (b"\n", b"\\n"), (b"\r", b"\\r"), (b"\t", b"\\t")):
        data = data.replace(character, written)
    return data
