"""What Postgres cannot store in text, NULs and lone surrogates, is replaced by U+FFFD; what is far too long is cut.

Each place is listed.
"""

import re
from typing import Any, TypedDict

REPLACEMENT = "\ufffd"
# The longest message of WhatsApp has 65,536 characters. Whatever reads texts (SQL, rules, redaction) takes several
# times a text's memory, and one value of jsonb ends at 255 MB.
MAX_TEXT_LENGTH = 1_000_000
CUT_MARK = "…"  # ends a text that was cut: no other has more than MAX_TEXT_LENGTH characters
NUL = b"\\u0000"  # as JSON writes it
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_DIRTY = re.compile("[\x00\ud800-\udfff]")


class Cleaning(TypedDict):
    """One place of a record that was changed: `{"path": "messages[3].body", "rule": "nul_replaced"}`."""

    path: str
    rule: str


def may_need_cleaning(canonical_json: str) -> bool:
    """Whether a value may hold something to clean, seen cheaply from its canonical JSON. False is certain."""
    try:
        canonical_json.encode()
    except UnicodeEncodeError:
        return True
    return "\\u0000" in canonical_json


def clean(value: Any) -> tuple[Any, list[Cleaning]]:
    """A parsed JSON value without NULs and lone surrogates, and the list of what was replaced and where."""
    done: list[Cleaning] = []
    return _clean(value, "", done), done


def cut(value: Any) -> tuple[Any, list[Cleaning]]:
    """A parsed JSON value whose texts have at most `MAX_TEXT_LENGTH` characters and a mark, and which ones were cut."""
    done: list[Cleaning] = []
    return _cut(value, "", done), done


def _cut(value: Any, path: str, done: list[Cleaning]) -> Any:
    if isinstance(value, str) and len(value) > MAX_TEXT_LENGTH:
        done.append({"path": path, "rule": "text_cut"})
        return value[:MAX_TEXT_LENGTH] + CUT_MARK
    if isinstance(value, list):
        return [_cut(item, f"{path}[{number}]", done) for number, item in enumerate(value)]
    if isinstance(value, dict):
        return {name: _cut(member, f"{path}.{name}" if path else name, done) for name, member in value.items()}
    return value


def _clean(value: Any, path: str, done: list[Cleaning]) -> Any:
    if isinstance(value, str):
        return _clean_text(value, path, done)
    if isinstance(value, list):
        return [_clean(item, f"{path}[{number}]", done) for number, item in enumerate(value)]
    if isinstance(value, dict):
        return _clean_object(value, path, done)
    return value


def _clean_text(text: str, path: str, done: list[Cleaning]) -> str:
    if not _DIRTY.search(text):
        return text
    if "\x00" in text:
        done.append({"path": path, "rule": "nul_replaced"})
    if _LONE_SURROGATE.search(text):
        done.append({"path": path, "rule": "lone_surrogate_replaced"})
    return _DIRTY.sub(REPLACEMENT, text)


def _clean_object(value: dict[str, Any], path: str, done: list[Cleaning]) -> dict[str, Any]:
    cleaned = {}
    for name, member in value.items():
        clean_name = _DIRTY.sub(REPLACEMENT, name)
        place = f"{path}.{clean_name}" if path else clean_name
        if clean_name != name:
            done.append({"path": place, "rule": "name_replaced"})
        cleaned[clean_name] = _clean(member, place, done)
    return cleaned
