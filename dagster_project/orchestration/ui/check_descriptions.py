"""What each dbt test holds, as a sentence: dbt has only a name for it, which the UI would show alone."""

import re
from collections.abc import Mapping
from typing import Any


def describe(test: Mapping[str, Any]) -> str:
    """The promise that a dbt test keeps.

    Args:
        test: its node in dbt's manifest. A description of its own stands before ours.
    """
    if test.get("description"):
        return str(test["description"]).strip()
    metadata = test.get("test_metadata")
    if not metadata:
        return f"{test['name'].removeprefix('assert_').replace('_', ' ').capitalize()}."
    return _GENERIC[metadata["name"]](metadata["kwargs"]) + _only_where(test)


_GENERIC: dict[str, Any] = {
    "not_null": lambda of: f"`{of['column_name']}` is never NULL.",
    "unique": lambda of: f"No two rows have the same `{of['column_name']}`.",
    "unique_combination": lambda of: f"No two rows have the same {_names(of['columns'])}.",
    "primary_key": lambda of: f"No two rows have the same {_names(_key(of))}, and none of it is NULL.",
    "accepted_values": lambda of: f"`{of['column_name']}` is {' or '.join(map(str, of['values']))}.",
    "relationships": lambda of: f"Each `{of['column_name']}` is a `{of['field']}` of `{_table(of['to'])}`.",
    "not_negative": lambda of: f"`{of['column_name']}` is never below 0.",
    "label_of": lambda of: f"`{of['column_name']}` is a label of `{of['field']}` in analysis.taxonomy_labels.",
    "label_field": lambda of: f"`{of['column_name']}` is a field of the labels{_or(of['others'])}.",
    "expression_is_true": lambda of: f"In each row `{' '.join(of['expression'].split())}`.",
}


def _key(of: Mapping[str, Any]) -> list[str]:
    return of.get("columns") or [of["column_name"]]


def _or(others: list[str]) -> str:
    return f", or {', '.join(others)}" if others else ""


def _names(columns: list[str]) -> str:
    return " and ".join(f"`{column}`" for column in columns)


def _table(reference: str) -> str:
    """The table in a text such as `ref('agents')` or `source('raw', 'chats')`."""
    return ".".join(re.findall(r"'(\w+)'", reference))


def _only_where(test: Mapping[str, Any]) -> str:
    where = " ".join(str((test.get("config") or {}).get("where") or "true").split())
    if where == "true":
        return ""
    # Where only new rows are tested, the condition is the build's bookkeeping.
    return " Of the rows that the last build read." if "build_watermarks" in where else f" Of the rows where {where}."
