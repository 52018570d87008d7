"""What Postgres cannot store in text: NULs and lone surrogates. Each is replaced by U+FFFD, and each place listed."""

import re
from typing import Any, TypedDict

REPLACEMENT = "\ufffd"
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_MAY_NEED_CLEANING = re.compile(r"\x00|\\u0000|\\u[dD][89a-fA-F]|[" "\ud800-\udfff" "]")


class Cleaning(TypedDict):
    """One place of a record that was changed: `{"path": "messages[3].body", "rule": "nul_replaced"}`."""

    path: str
    rule: str


def may_need_cleaning(json_text: str) -> bool:
    """Whether a record may hold something to clean, seen cheaply from its JSON text. False is certain."""
    return _MAY_NEED_CLEANING.search(json_text) is not None


def clean(value: Any) -> tuple[Any, list[Cleaning]]:
    """A parsed JSON value without NULs and lone surrogates, and the list of what was replaced and where."""
    done: list[Cleaning] = []
    return _clean(value, "", done), done


def clean_text(text: str) -> str:
    """A string without NULs and lone surrogates."""
    return _LONE_SURROGATE.sub(REPLACEMENT, text.replace("\x00", REPLACEMENT))


def _clean(value: Any, path: str, done: list[Cleaning]) -> Any:
    if isinstance(value, str):
        if "\x00" in value:
            done.append({"path": path, "rule": "nul_replaced"})
        if _LONE_SURROGATE.search(value):
            done.append({"path": path, "rule": "lone_surrogate_replaced"})
        return clean_text(value)
    if isinstance(value, list):
        return [_clean(item, f"{path}[{number}]", done) for number, item in enumerate(value)]
    if isinstance(value, dict):
        return _clean_object(value, path, done)
    return value


def _clean_object(value: dict[str, Any], path: str, done: list[Cleaning]) -> dict[str, Any]:
    cleaned = {}
    for name, member in value.items():
        place = f"{path}.{clean_text(name)}" if path else clean_text(name)
        if clean_text(name) != name:
            done.append({"path": place, "rule": "name_replaced"})
        cleaned[clean_text(name)] = _clean(member, place, done)
    return cleaned
