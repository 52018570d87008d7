"""A report as CSV: `Section,Metric,Value,Unit`, a row a number."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO

from dagster_project.exports.formats import spreadsheet
from dagster_project.exports.formats.format import SectionRow, WriteResult
from dagster_project.exports.formats.spreadsheet import BOM, DECIMAL_SEPARATORS, DELIMITERS
from dagster_project.exports.i18n.catalogue import group
from dagster_project.exports.i18n.language import Language, place_of


def write(out: BinaryIO, rows: Iterable[SectionRow], *, excel: Language | None) -> WriteResult:
    """Write rows as csv, or as csv-excel for a reader of a language."""
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
    heads, body = _heads(excel or "en"), list(rows)
    if excel:
        text.write(BOM.decode())
        body = _for_excel(body, excel)
    writer = csv.writer(text, delimiter=DELIMITERS[excel] if excel else ",")
    writer.writerow(heads)
    writer.writerows([_cell(value, DECIMAL_SEPARATORS[excel] if excel else ".") for value in row] for row in body)
    text.detach()
    return WriteResult(len(body), [(name, "text") for name in heads])


def _heads(language: Language) -> list[str]:
    return [words[place_of(language)] for words in group("section_head").values()]


def _for_excel(rows: Sequence[SectionRow], language: Language) -> list[SectionRow]:
    """Times in minutes; and where a spreadsheet would change a text of a column, all of its texts are kept."""
    place = place_of(language)
    seconds, shown = group("section_unit")["seconds"][place], group("csv_unit")["seconds"][place]
    shown_rows: list[SectionRow] = [
        (section, metric, round(value / 60, 2), shown)
        if unit == seconds and isinstance(value, int | float)
        else (section, metric, value, unit)
        for section, metric, value, unit in rows
    ]
    kept = [any(map(_is_changed, column)) for column in zip(*shown_rows, strict=True)]
    return [
        (_kept(row[0], kept[0]), _kept(row[1], kept[1]), _kept(row[2], kept[2]), _kept(row[3], kept[3]))
        for row in shown_rows
    ]


def _is_changed(cell: Any) -> bool:
    return isinstance(cell, str) and bool(re.search(spreadsheet.GUARDED, cell))


def _kept(cell: Any, is_kept: bool) -> Any:
    return f"'{cell}" if is_kept and isinstance(cell, str) and cell else cell


def _cell(value: Any, decimal_sign: str) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4f}".rstrip("0").rstrip(".").replace(".", decimal_sign)
    return str(value)
