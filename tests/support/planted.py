"""A database with planted faults, and beside each what looks like it and is none: for the tests of the audit.

`shop` goes by the rules of an operational schema, `depot` by those of one that builds read whole, `built` by those of
dbt's.
"""

import re
from pathlib import Path

import psycopg

from dagster_project.database_audit.schemas import House

SCHEMAS = {
    "shop": House(),
    "depot": House(is_read_whole=True),
    "built": House(is_made_by_dbt=True, is_read_whole=True),
}
BACKUPS = {"backup": "The last good backup is of 2026-11-01 02:10 UTC", "drill": "No backup was restored"}
_FOLDER = Path(__file__).parents[1] / "data" / "database_audit"
_FAULT = re.compile(r"^-- (D\d\d) (error|warning|info) (.+)$", re.MULTILINE)


def faults() -> set[tuple[str, str, str]]:
    """What the audit must report: rule, severity, object."""
    return {(rule, severity, of) for rule, severity, of in _FAULT.findall(_text("faults"))}


def lookalikes() -> list[str]:
    """What it must not report, each with why."""
    return re.findall(r"^-- = (.+)$", _text("lookalikes"), re.MULTILINE)


def plant(conn: psycopg.Connection) -> None:
    """Make all of it, in a database of its own; `conn` is in autocommit."""
    for file in ("before", "faults", "lookalikes"):
        conn.execute(_text(file), prepare=False)
    conn.execute("insert into shop.doubled values (1, 1), (2, 1)")
    try:
        conn.execute("create unique index concurrently failed on shop.doubled (a)")
    except psycopg.errors.UniqueViolation:
        return
    raise AssertionError("the index is not invalid")


def write_history(conn: psycopg.Connection) -> None:
    """Give the snapshot of today 45 days before it, and the server other counters, in this session."""
    conn.execute(_text("history"), prepare=False)
    conn.execute(_text("server"), prepare=False)


def _text(file: str) -> str:
    return (_FOLDER / f"{file}.sql").read_text(encoding="utf-8")
