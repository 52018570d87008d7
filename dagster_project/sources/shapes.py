"""The shape of a record: its fields, with their JSON types, worked out once for each kind of object that comes."""

import re
from dataclasses import dataclass
from typing import Any

MAX_DEPTH = 8
MAX_SHAPES = 10_000  # remembered; past these all are forgotten, because an account's own names have no end
_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,59}")
_FREE_NAMES = "custom_attributes"
_TYPES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "number", float: "number"}

_OBJECTS = {dict}

Field = tuple[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """What objects (or lists) have in common that stand at the same place, with the same names and types.

    Attributes:
        fields: path and JSON type of each field: `messages[].location` object. Names that an account chooses (custom
            attributes, whatever does not look like a field) count as `*`: they may be personal data.
        has_floats: a member is a number with a fraction or an exponent.
        is_deep: members are nested deeper than anyone looks.
        inner: name and path of the members that hold others.
    """

    fields: frozenset[Field]
    has_floats: bool
    is_deep: bool
    inner: tuple[tuple[str, str], ...]


def shapes_of(record: dict[str, Any]) -> set[Shape]:
    """The shapes of a record and of all that it holds, down to `MAX_DEPTH`."""
    if len(_KNOWN) > MAX_SHAPES:
        _KNOWN.clear()
    found: set[Shape] = set()
    _look(record, "", 0, found)
    return found


_KNOWN: dict[tuple[Any, ...], Shape] = {}


def _look(value: dict[str, Any], path: str, depth: int, found: set[Shape]) -> None:
    key = (path, *value, *map(type, value.values()))
    shape = _KNOWN.get(key) or _learn(key, value, path, depth)
    found.add(shape)
    for name, place in shape.inner:
        member = value[name]
        if isinstance(member, dict):
            _look(member, place, depth + 1, found)
        else:
            _look_through(member, f"{place}[]", depth + 1, found)


def _look_through(members: list[Any], path: str, depth: int, found: set[Shape]) -> None:
    kinds = frozenset(map(type, members))
    if not kinds:
        return
    key = (path, kinds)
    found.add(_KNOWN.get(key) or _learn_list(key, path, depth))
    if kinds == _OBJECTS:
        # Most of what is looked at are messages, thousands with a handful of shapes, and nothing inside.
        shapes = {_KNOWN.get((path, *member, *map(type, member.values()))) for member in members}
        known = {shape for shape in shapes if shape and not shape.inner}
        if known == shapes:
            found |= known
            return
    if dict in kinds or list in kinds:
        for member in members:
            if isinstance(member, dict):
                _look(member, path, depth, found)
            elif isinstance(member, list) and depth < MAX_DEPTH:
                _look_through(member, f"{path}[]", depth + 1, found)


def _learn(key: tuple[Any, ...], value: dict[str, Any], path: str, depth: int) -> Shape:
    places = [(name, _place(path, name), type(member)) for name, member in value.items()]
    nested = tuple((name, place) for name, place, kind in places if kind in (dict, list))
    shape = _KNOWN[key] = Shape(
        frozenset((place, _TYPES.get(kind, "null")) for _, place, kind in places),
        any(kind is float for _, _, kind in places),
        bool(nested) and depth >= MAX_DEPTH,
        nested if depth < MAX_DEPTH else (),
    )
    return shape


def _learn_list(key: tuple[Any, ...], path: str, depth: int) -> Shape:
    _, kinds = key
    shape = _KNOWN[key] = Shape(
        frozenset((path, _TYPES.get(kind, "null")) for kind in kinds),
        float in kinds,
        list in kinds and depth >= MAX_DEPTH,
        (),
    )
    return shape


def _place(path: str, name: str) -> str:
    if path.endswith(_FREE_NAMES) or not _FIELD_NAME.fullmatch(name):
        name = "*"
    return f"{path}.{name}" if path else name
