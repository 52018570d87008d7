"""Reads events from a file, a JSON object a line, and says what is wrong with a line by its number."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from dagster_project.sources.rooms.events import KINDS, Kind
from dagster_project.sources.rooms.steps import Event
from dagster_project.sources.rooms.tables import TABLES, Column

_FIRST = datetime(2000, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=1)
_NEVER_NULL = "must not be null"
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")  # in JSON, where a backslash that somebody typed is two


class BadLine(ValueError):
    """A line that is no event; the text names the field and the rule, and never holds a value."""


def events_of(path: Path, now: datetime) -> Iterator[tuple[int, Event | BadLine]]:
    """The file's events by the number of their line, the first is 1; a line that is none as its fault. Blank ones pass.

    Raises OSError.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                try:
                    yield number, parse(line, now)
                except BadLine as fault:
                    yield number, fault


def parse(line: bytes, now: datetime) -> Event:
    """The event that a line says. Raises BadLine."""
    try:
        said = json.loads(line, parse_constant=_no_json)
    except (ValueError, RecursionError):  # bytes that are no text, and numbers of thousands of digits, too
        raise BadLine("is no JSON") from None
    if not isinstance(said, dict):
        raise BadLine("is no JSON object")
    name = said.pop("event", None)
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise BadLine(f"event must be one of {', '.join(KINDS)}")
    try:
        at, by = _instant(said.pop("at", None), now), said.pop("by", None)
        return Event(at, str(name), None if by is None else _uuid(by, "by"), _fields(kind, said))
    except BadLine as fault:
        raise BadLine(f"{name}: {fault}") from None


def _fields(kind: Kind, said: Mapping[str, Any]) -> dict[str, Any]:
    if missing := [field for field in kind.required if field not in said]:
        raise BadLine(f"{', '.join(missing)} missing")
    known = {*kind.required, *kind.optional}
    if unknown := sorted(set(said) - known):
        shown = ", ".join(field for field in unknown if field.isidentifier())[:200]
        raise BadLine(f"has no field {shown or 'of such a name'}: it has {', '.join(sorted(known))}")
    columns = TABLES[kind.table].columns
    return {field: _value(field, columns[field], value) for field, value in said.items()}


def _value(field: str, column: Column, value: Any) -> Any:
    if value is None:
        if column.is_nullable:
            return None
        raise BadLine(f"{field} {_NEVER_NULL}")
    if isinstance(column.type, tuple):
        if value not in column.type:
            raise BadLine(f"{field} must be one of {', '.join(column.type)}")
        return value
    if column.type == "uuid":
        return _uuid(value, field)
    wanted, words = {
        "text": (str, "a text"),
        "integer": (int, "a whole number"),
        "boolean": (bool, "true or false"),
        "jsonb": (dict, "an object"),
    }[column.type]
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise BadLine(f"{field} must be {words}")
    _require_kept(value, field)
    return value


def _no_json(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _require_kept(value: Any, field: str) -> None:
    """Postgres keeps no NUL, no half of a character and no infinite number."""
    try:
        said = json.dumps(value, ensure_ascii=False, allow_nan=False)
        said.encode()
    except ValueError:
        raise BadLine(f"{field} holds half a character, or a number without end, which Postgres cannot keep") from None
    if _NUL.search(said):
        raise BadLine(f"{field} holds a NUL, which Postgres cannot keep")


def _uuid(value: Any, field: str) -> str:
    try:
        return str(UUID(value))
    except (ValueError, TypeError, AttributeError):
        raise BadLine(f"{field} must be a UUID") from None


def _instant(value: Any, now: datetime) -> datetime:
    try:
        at = datetime.fromisoformat(value)
    except (ValueError, TypeError):
        raise BadLine("at must be an instant with an offset, as in 2026-03-02T14:05:09-05:00") from None
    if at.tzinfo is None:
        raise BadLine("at has no offset: 2026-03-02T14:05:09-05:00 has one")
    if not _FIRST <= at <= now + _AHEAD:
        raise BadLine("at is from before the year 2000, or more than a day ahead")
    return at.astimezone(UTC)
