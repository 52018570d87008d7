"""The state of rooms: what the tables and their history hold after a row of changes, as the triggers would leave it.

History that is made or brought from elsewhere is folded here and then written by COPY, with the times at which things
happened; the triggers can only say when a row was written.
"""

import uuid
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dagster_project.sources.rooms.entities import ERASED
from dagster_project.sources.rooms.tables import REQUIRED, TABLES, Table

Row = dict[str, Any]
Key = tuple[Any, ...]

_IDS = uuid.UUID("6f1d0e52-3c0b-5b7e-9a55-2d8f0c1f7a11")


class ImpossibleChange(ValueError):
    """A change of a row that is not there, or from before its last change; the text says which rule it breaks."""


class Ledger:
    """Rows and history by table.

    Attributes:
        rows: the rows as they are, by table and key.
        history: each row as it was before a change, with what the history table has beside it.
        stored: keys of rows that came from the database (`remember`); all others are new.
        changed: stored rows that have changed; removed: stored rows that are gone.
        known_history: ids of history rows that the database has: a change that left one is not made again.
    """

    def __init__(self) -> None:
        self.rows: dict[str, dict[Key, Row]] = {name: {} for name in TABLES}
        self.history: dict[str, list[Row]] = {table.name: [] for table in TABLES.values() if table.keeps_history}
        self.stored: dict[str, set[Key]] = defaultdict(set)
        self.changed: dict[str, set[Key]] = defaultdict(set)
        self.removed: dict[str, set[Key]] = defaultdict(set)
        self.known_history: set[str] = set()

    def remember(self, table: str, row: Row) -> None:
        """Take a row that the database holds."""
        key = key_of(TABLES[table], row)
        self.rows[table][key] = row
        self.stored[table].add(key)

    def row(self, table: str, *key: Any) -> Row | None:
        """The row as it is now, None where there is none."""
        return self.rows[table].get(key)

    def is_gone(self, table: str, key: Key) -> bool:
        """Whether the database once had the row and deleted it: all that can be said of it was said before."""
        return bool(self.known_history) and history_id(TABLES[table], key, "DELETE", {}) in self.known_history

    def insert(self, name: str, values: Mapping[str, Any], at: datetime) -> bool:
        """Add a row, its columns that are not given by their defaults. Returns False where it is there already."""
        table = TABLES[name]
        key = tuple(values[column] for column in table.key)
        if key in self.rows[name]:
            return False
        self.rows[name][key] = _with_defaults(table, values, at)
        return True

    def update(self, name: str, key: Key, changes: Mapping[str, Any], at: datetime, by: str | None) -> bool:
        """Change a row; returns False where that was done before, changes nothing, or is of a user who was erased.

        Raises ImpossibleChange.
        """
        table = TABLES[name]
        entry = history_id(table, key, f"UPDATE {at.isoformat()}", changes)
        if entry in self.known_history:
            return False
        row = self._found(name, key)
        changed = [column for column in table.columns if column in changes and row[column] != changes[column]]
        is_erased = ERASED in row.values()
        if not changed or (is_erased and name == "users"):
            return False
        if is_erased:  # since then: what happened before comes after it
            at = max(at, row["updated_at"])
        self._require_order(name, row, at)
        if table.keeps_history and not table.silent.issuperset(changed):
            self._note(table, row, entry, "UPDATE", at, by, changed)
        row |= changes
        row["updated_at"] = at
        if key in self.stored[name]:
            self.changed[name].add(key)
        return True

    def delete(self, name: str, key: Key, at: datetime, by: str | None) -> None:
        """Take a row away for good. Raises ImpossibleChange."""
        table, row = TABLES[name], self._found(name, key)
        entry = history_id(table, key, "DELETE", {})
        self._require_order(name, row, at)
        self._note(table, row, entry, "DELETE", at, by, [])
        del self.rows[name][key]
        self.changed[name].discard(key)
        if key in self.stored[name]:
            self.removed[name].add(key)

    def _found(self, name: str, key: Key) -> Row:
        row = self.rows[name].get(key)
        if row is None:
            raise ImpossibleChange(f"{name} has no row {' '.join(map(str, key))}")
        return row

    @staticmethod
    def _require_order(name: str, row: Row, at: datetime) -> None:
        if at < row["updated_at"]:
            raise ImpossibleChange(f"it is from before the last change of its row in {name}")

    def _note(
        self, table: Table, row: Row, entry: str, operation: str, at: datetime, by: str | None, changed: list[str]
    ) -> None:
        before = {column: row[column] for column in table.history_columns}
        self.history[table.name].append(
            before
            | {
                "history_id": entry,
                "changed_at": at,
                "operation_type": operation,
                "changed_by": by,
                "changed_columns": changed or None,
            }
        )


def key_of(table: Table, row: Mapping[str, Any]) -> Key:
    """A row's key."""
    return tuple(row[column] for column in table.key)


def history_id(table: Table, key: Key, operation: str, changes: Mapping[str, Any]) -> str:
    """The id of the history row that a change leaves: the same change has the same one, however often it is read."""
    return stable_id(table.name, *key, operation, *sorted(changes.items(), key=lambda item: item[0]))


def stable_id(*parts: Any) -> str:
    """An id that the same parts always have."""
    return str(uuid.uuid5(_IDS, "|".join(map(str, parts))))


def _with_defaults(table: Table, values: Mapping[str, Any], at: datetime) -> Row:
    row = {}
    for name, column in table.columns.items():
        if name in values:
            row[name] = values[name]
        elif name in ("created_at", "updated_at"):
            row[name] = at
        elif column.default is REQUIRED:
            raise ImpossibleChange(f"{table.name} needs {name}")
        else:
            row[name] = column.default
    return row
