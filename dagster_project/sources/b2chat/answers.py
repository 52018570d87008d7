"""Reading an answer of an export: its envelope, and each record with the exact bytes that it came in.

`json.loads` is not enough: one record that Python refuses (NaN, a number of 5,000 digits, a bottomless nesting)
would cost the whole page, and the bytes of a single record could not be kept. As most pages hold no such thing, a
page is first read by orjson, several times as fast; whoever wants a record's exact bytes has it read again.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

MAX_COUNT = 2**31 - 1  # what Postgres counts in; no account has more records
_WHITESPACE = re.compile(r"[ \t\r\n]*")
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)
_BARE_VALUE = re.compile(r"[^,\]}\s]+")


class UnreadableAnswer(ValueError):
    """The body is not an envelope of records. The text names the fault, never the content."""


@dataclass(frozen=True, slots=True)
class Item:
    """One record of a page, before it is validated.

    Attributes:
        position: its place in the page, from 0.
        source: its JSON as `text` has it, or the answer in which it can be found.
        value: what it parses to; where the source is an answer, floats in it may be wrong, all else is right.
        fault: why it does not parse, as a rule's name; None where it does.
    """

    position: int
    source: "str | _Answer"
    value: Any
    fault: str | None = None

    def exact(self) -> "Item":
        """The same record, its value right in all its parts."""
        return self if isinstance(self.source, str) else self.source.items[self.position]

    @property
    def text(self) -> str:
        """The record's JSON, exactly as it came; bytes that are not UTF-8 are kept as surrogate escapes."""
        return self.source if isinstance(self.source, str) else self.exact().text

    @property
    def data(self) -> bytes:
        """The exact bytes of the record."""
        return self.text.encode("utf-8", "surrogateescape")

    def key_text(self, name: str) -> str:
        """The member of this name as a text, whatever it is; of what is no object, the whole text."""
        key = self.value.get(name) if isinstance(self.value, dict) else 0.0
        if isinstance(key, str | int | None):
            return str(key)
        value = self.exact().value
        return str(value.get(name)) if isinstance(value, dict) else self.text


def keys_digest(items: Sequence[Item], name: str) -> str:
    """The same for the same records in the same order, whatever has become of each.

    Args:
        name: of the member that is their key.
    """
    keys = [item.key_text(name) for item in items]
    return hashlib.sha256("\n".join(keys).encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Envelope:
    """What an export answered: its records, how many it says there are in this page, and how many match in all."""

    items: list[Item]
    exported: int | None
    total: int


def read_envelope(body: bytes, entity: str) -> Envelope:
    """Read the answer of an export of `entity` ("chats", "contacts").

    Raises:
        UnreadableAnswer: the body is cut, is not JSON, or has no list of records or no total.
    """
    fields = _quickly(body, entity) or _carefully(body, entity)
    if not isinstance(fields.get(entity), list):
        raise UnreadableAnswer(f"the answer has no list of {entity}")
    total = _count(fields.get("total"))
    if total is None:
        raise UnreadableAnswer("the answer has no usable total")
    return Envelope(fields[entity], _count(fields.get("exported")), total)


def _quickly(body: bytes, entity: str) -> dict[str, Any] | None:
    """The envelope as orjson reads it; None where that is no sound one, or might not be as it came.

    orjson makes floats of integers of more than 64 bits, and refuses what it cannot keep otherwise.
    """
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(fields, dict) or not isinstance(fields.get(entity), list):
        return None
    if any(isinstance(member, float | dict | list) for name, member in fields.items() if name != entity):
        return None
    answer = _Answer(body, entity)
    fields[entity] = [Item(position, answer, value) for position, value in enumerate(fields[entity])]
    return fields


@dataclass(frozen=True)
class _Answer:
    """An answer that was read quickly, for those who want one of its records exactly."""

    body: bytes
    entity: str

    @cached_property
    def items(self) -> list[Item]:
        items: list[Item] = _carefully(self.body, self.entity)[self.entity]
        return items


def _carefully(body: bytes, entity: str) -> dict[str, Any]:
    text = body.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    try:
        return _envelope(text, entity)
    except RecursionError:
        raise UnreadableAnswer("the envelope is nested too deep") from None
    except (ValueError, IndexError) as error:
        at = error.pos if isinstance(error, json.JSONDecodeError) else 0
        raise UnreadableAnswer(f"the body of {len(body)} bytes is not valid JSON (character {at})") from None


def _envelope(text: str, entity: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    at = _after(text, 0, "{")
    while text[at] != "}":
        name, at = _DECODER.raw_decode(text, at)
        at = _after(text, at, ":")
        if name == entity and text[at] == "[":
            fields[name], at = _items(text, _after(text, at, "["))
        else:
            fields[name], at = _DECODER.raw_decode(text, at)
        at = _after_member(text, at, "}")
    if _WHITESPACE.fullmatch(text, at + 1) is None:
        raise json.JSONDecodeError("more after the end", "", at)
    return fields


def _items(text: str, at: int) -> tuple[list[Item], int]:
    items: list[Item] = []
    while text[at] != "]":
        value, fault, end = _value(text, at)
        items.append(Item(len(items), text[at:end], value, fault))
        at = _after_member(text, end, "]")
    return items, at + 1


def _value(text: str, at: int) -> tuple[Any, str | None, int]:
    try:
        value, end = _DECODER.raw_decode(text, at)
    except json.JSONDecodeError:
        raise
    except RecursionError:
        return None, "nested_too_deep", _end_of_value(text, at)
    except ValueError:  # NaN, Infinity, or more digits than Python turns into a number
        return None, "number_refused", _end_of_value(text, at)
    return value, None, end


def _end_of_value(text: str, at: int) -> int:
    if text[at] not in "[{":
        bare = _BARE_VALUE.match(text, at)
        return bare.end() if bare else at
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(text, at):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token.group(), 0)
        if depth == 0:
            return token.end()
    raise json.JSONDecodeError("no end", "", at)


def _after(text: str, at: int, mark: str) -> int:
    at = _skip_whitespace(text, at)
    if text[at] != mark:
        raise json.JSONDecodeError(f"no {mark}", "", at)
    return _skip_whitespace(text, at + 1)


def _after_member(text: str, at: int, close: str) -> int:
    at = _skip_whitespace(text, at)
    if text[at] == close:
        return at
    at = _after(text, at, ",")
    if text[at] == close:
        raise json.JSONDecodeError("a comma too many", "", at)
    return at


def _skip_whitespace(text: str, at: int) -> int:
    blank = _WHITESPACE.match(text, at)
    return blank.end() if blank else at


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_COUNT else None


def _refuse(constant: str) -> None:
    raise ValueError(constant)


# Not strict: a raw control character inside a string, a NUL above all, must not cost the page.
_DECODER = json.JSONDecoder(strict=False, parse_constant=_refuse)
