"""The seeds that people edit, read before dbt loads them: Postgres would take 03/12/2026 for the 12th of March."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import yaml

from dagster_project.orchestration.dbt_project import DBT_DIR

SEEDS = DBT_DIR / "seeds"
MAX_FAULTS = 20  # of a file

_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?|24:00(:00)?", re.ASCII)
_PERIOD = ("valid_from", "valid_to")


class SeedsWrong(Exception):
    """Seeds that must not be loaded. The text names file, row and column of each fault."""


def check(folder: Path | None = None) -> int:
    """Read all seeds by what their YAML says of them; returns how many rows they have.

    Raises:
        SeedsWrong: a file is not what it should be.
    """
    folder = folder or SEEDS
    described = {seed["name"]: seed for seed in yaml.safe_load((folder / "_seeds.yml").read_text())["seeds"]}
    faults, rows = list[str](), 0
    for path in sorted(folder.glob("*.csv")):
        found = _Seed(path, described.get(path.stem, {"columns": []}))
        faults += found.faults()
        rows += found.rows
    if faults:
        raise SeedsWrong("; ".join(faults))
    return rows


class _Seed:
    """One file and what is wrong with it."""

    def __init__(self, path: Path, described: Mapping[str, Any]) -> None:
        self._path, self.rows = path, 0
        self._columns = [column["name"] for column in described["columns"]]
        self._types: dict[str, str] = described.get("config", {}).get("column_types", {})
        self._required = {
            column["name"] for column in described["columns"] if "not_null" in column.get("data_tests", [])
        }
        self._allowed = {column["name"]: _accepted_values(column) for column in described["columns"]}

    def faults(self) -> list[str]:
        found = list[str]()
        for fault in self._read():
            if len(found) == MAX_FAULTS:
                return [*found, f"{self._path.name}: and more"]
            found.append(f"{self._path.name}, {fault}")
        return found

    def _read(self) -> Iterator[str]:
        try:
            with self._path.open(encoding="utf-8-sig", newline="") as file:
                lines = csv.reader(file)
                header = next(lines, [])
                if fault := self._header_fault(header):
                    yield f"row 1: {fault}"
                    return
                for row in lines:
                    yield from self._row_faults(f"row {lines.line_num}", header, row)
        except UnicodeDecodeError:
            yield "it is not UTF-8: save it as 'CSV UTF-8'"

    def _header_fault(self, header: list[str]) -> str | None:
        for separator, name in ((";", "';'"), ("\t", "tabs")):
            if len(header) == 1 and header[0].split(separator) == self._columns and len(self._columns) > 1:
                return f"the columns are separated by {name}, not by ','"
        missing = [name for name in self._columns if name not in header]
        unknown = [name for name in header if name not in self._columns]
        if missing:
            return f"there is no column {missing[0]!r}"
        return f"there should be no column {unknown[0]!r}" if unknown or len(header) != len(self._columns) else None

    def _row_faults(self, place: str, header: list[str], cells: list[str]) -> Iterator[str]:
        if not cells:
            return
        self.rows += 1
        if len(cells) != len(header):
            yield f"{place}: {len(cells)} cells, not {len(header)}"
            return
        row = dict(zip(header, cells, strict=True))
        wrong = {name: fault for name, cell in row.items() if (fault := self._cell_fault(name, cell))}
        for name, fault in wrong.items():
            yield f"{place}, column {name}: {row[name][:40]!r} is {fault}"
        if not wrong and all(row.get(name) for name in _PERIOD) and row[_PERIOD[0]] > row[_PERIOD[1]]:
            yield f"{place}, column {_PERIOD[1]}: {row[_PERIOD[1]]!r} is before {_PERIOD[0]}"

    def _cell_fault(self, name: str, cell: str) -> str | None:
        if cell == "":
            return "empty" if name in self._required else None
        if cell != cell.strip():
            return "with spaces around it"
        allowed = self._allowed[name]
        if allowed and cell not in allowed:
            return f"none of {', '.join(allowed)}"
        if name in ("provider", "priority") and cell != cell.lower():
            return "not in lower case"
        type_ = self._types.get(name, "text")
        return None if type_ not in _IS or _IS[type_](cell) else f"not {_MEANT[type_]}"


def _accepted_values(column: Mapping[str, Any]) -> list[str]:
    tests = [
        test["accepted_values"]
        for test in column.get("data_tests", [])
        if isinstance(test, dict) and "accepted_values" in test
    ]
    return [str(value) for test in tests for value in test["arguments"]["values"]]


def _is_date(cell: str) -> bool:
    try:
        return bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}", cell, re.ASCII)) and bool(date.fromisoformat(cell))
    except ValueError:
        return False


def _is_number(cell: str) -> bool:
    try:
        return Decimal(cell).is_finite()
    except InvalidOperation:
        return False


_IS: dict[str, Callable[[str], bool]] = {
    "date": _is_date,
    "time": lambda cell: bool(_TIME.fullmatch(cell)),
    "integer": lambda cell: bool(re.fullmatch(r"-?\d{1,9}", cell, re.ASCII)),
    "numeric": _is_number,
    "boolean": lambda cell: cell in ("true", "false"),
}
_MEANT = {
    "date": "a date (YYYY-MM-DD)",
    "time": "a time (HH:MM)",
    "integer": "a whole number",
    "numeric": "a number with a dot for decimals",
    "boolean": "true or false",
}
