"""The formats of exports: a new one is a module and a line here. Commands, launchpad and service read this list."""

from dagster_project.exports.export_log import Kind
from dagster_project.exports.formats.csv_file import CSV, CSV_EXCEL
from dagster_project.exports.formats.excel_table import XLSX
from dagster_project.exports.formats.format import Format
from dagster_project.exports.formats.jsonl_file import JSON_LINES
from dagster_project.exports.formats.parquet_file import PARQUET
from dagster_project.exports.formats.pdf_file import PDF

_ALL = (
    PDF,
    XLSX,
    CSV,
    CSV_EXCEL,
    PARQUET,
    JSON_LINES,
)
FORMATS: dict[str, Format] = {one.name: one for one in _ALL}


def formats_of(kind: Kind) -> list[Format]:
    """The formats in which something can be exported."""
    return [one for one in _ALL if _can_write(one, kind)]


def described(kind: Kind) -> str:
    """The formats of something in one line, each with when to choose it."""
    return "; ".join(f"{one.name}: {one.about}" for one in formats_of(kind))


def titles() -> str:
    """All formats as people call them: PDF, Excel, CSV or Parquet."""
    *others, last = (one.title for one in _ALL)
    return f"{', '.join(others)} or {last}"


def _can_write(one: Format, kind: Kind) -> bool:
    if kind == "report":
        return bool(one.report or one.sections)
    return bool(one.table or (kind == "analysis" and one.report))
