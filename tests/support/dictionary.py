"""The data dictionary: each table's columns with types, NULL rule and defaults, and the columns of its indexes."""

import json
import re
from pathlib import Path
from typing import Any

OURS = Path(__file__).resolve().parents[1] / "data" / "data_dictionary.json"
CORE = ("departments", "agents", "contacts", "chats", "messages")  # dbt's
# Migrations' tables, with the schema of each.
KEPT = {
    "users": "ops",
    "system_settings": "ops",
    "audit_logs": "ops",
    "sync_logs": "ops",
    "sync_states": "ops",
    "sync_checkpoints": "ops",
    "api_response_logs": "ops",
    "notifications": "ops",
    "export_logs": "ops",
    "error_logs": "ops",
    "effectiveness_analysis": "analysis",
}
TABLES = (*CORE, *KEPT)
COLUMN_COUNT = 199
_TYPES = {
    "String": "text",
    "Boolean": "boolean",
    "Int": "integer",
    "Float": "double precision",
    "Json": "jsonb",
    "String[]": "ARRAY",
    "DateTime": "timestamp with time zone",
}
_DEFAULTS = {"now()": "now()", "cuid()": "(gen_random_uuid())::text", "-": None}


def load() -> dict[str, Any]:
    """Our copy, by table."""
    tables: dict[str, Any] = json.loads(OURS.read_text())
    return tables


def type_of(kind: str) -> str:
    """The type of Postgres for one of the dictionary; an enumeration is text."""
    return _TYPES.get(kind, "text")


def default_of(written: str) -> str | None:
    """The default of Postgres for one of the dictionary."""
    return _DEFAULTS.get(written, written)


def parsed(text: str) -> dict[str, Any]:
    """The same, read off the dictionary itself."""
    return {table: _table(text, table) for table in TABLES}


def _table(text: str, table: str) -> dict[str, Any]:
    section = _first(rf"\*\*Table Name:\*\* `{table}`(.*?)\n---\n", text)
    listed = _first(r"\*\*Indexes:\*\*(.*?)\*\*Business Rules", section)
    composite = [group.replace("`", "") for group in re.findall(r"\(((?:`\w+`(?:, )?)+)\)", listed)]
    single = re.findall(r"`(\w+)(?: DESC)?`", re.sub(r"\([^)]*\)", "", listed))
    rows = re.findall(r"^\| `(\w+)` \| ([\w\[\]]+) \| (Yes|No) \| ([^|]+) \|", section, re.MULTILINE)
    return {
        "columns": {name: kind for name, kind, _, _ in rows},
        "required": [name for name, _, nullable, _ in rows if nullable == "No"],
        "defaults": {name: default for name, _, _, default in rows if default != "-"},
        "indexes": [*composite, *single],
    }


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.DOTALL)
    assert found, pattern
    return found[1]
