"""The data dictionary that core follows: each table's columns with their types, and the columns of its indexes."""

import json
import re
from pathlib import Path
from typing import Any

OURS = Path(__file__).resolve().parents[1] / "data" / "data_dictionary.json"
TABLES = ("departments", "agents", "contacts", "chats", "messages")


def load() -> dict[str, Any]:
    """Our copy, by table."""
    tables: dict[str, Any] = json.loads(OURS.read_text())
    return tables


def parsed(text: str) -> dict[str, Any]:
    """The same, read off the dictionary itself."""
    return {table: _table(text, table) for table in TABLES}


def _table(text: str, table: str) -> dict[str, Any]:
    section = _first(rf"\*\*Table Name:\*\* `{table}`(.*?)\n---\n", text)
    listed = _first(r"\*\*Indexes:\*\*(.*?)\*\*Business Rules", section)
    composite = [group.replace("`", "") for group in re.findall(r"\(((?:`\w+`(?:, )?)+)\)", listed)]
    single = re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", listed))
    return {
        "columns": dict(re.findall(r"^\| `(\w+)` \| ([\w\[\]]+) \|", section, re.MULTILINE)),
        "indexes": [*composite, *single],
    }


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.DOTALL)
    assert found, pattern
    return found[1]
