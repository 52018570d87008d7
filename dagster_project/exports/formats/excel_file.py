"""An Excel workbook: sheets with a header that stays in view, filters, and cells that are numbers, dates or plain text.

Nothing in it is a formula or a link, whatever the data says; text that a cell cannot hold is cut, and counted.
"""

import math
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, BinaryIO, Literal
from zoneinfo import ZoneInfo

Sheet = Any  # xlsxwriter's Worksheet: imported where a book is made, it takes a tenth of a second
MAX_ROWS = 1_048_575  # of a sheet, below its header
MAX_UNITS = 32_767  # of a cell, in UTF-16
Kind = Literal[
    "text",
    "whole",
    "decimal",
    "duration",
    "share",
    "points",
    "change",
    "change_in_points",
    "date",
    "instant",
    "boolean",
]

DARK, PALE, INK = "#1F4E5F", "#EAF1F3", "#222222"
LOW, MIDDLE, HIGH = "#4589C4", "#FEE090", "#D73027"  # those of the heatmap's picture
_NUMBERS: dict[Kind, str] = {
    "whole": "#,##0",
    "decimal": "#,##0.00",
    "duration": '[<0.000694]s" s";[h]:mm',  # seconds below a minute, else hours and minutes
    "share": "0.0%",
    "points": "0.0",
    "change": "+0.0%;-0.0%;0.0%",
    "change_in_points": '+0.0" pt";-0.0" pt";0.0" pt"',
    "date": "yyyy-mm-dd",
    "instant": "yyyy-mm-dd hh:mm:ss",
}
_WIDTHS: dict[Kind, int] = {"text": 16, "date": 12, "instant": 20}
_UNSAFE = re.compile(r"[\[\]:*?/\\\x00-\x1f]")


@dataclass(frozen=True)
class Head:
    """The head of a column: its text, what its cells are, and its width in characters where the kind's does not fit."""

    text: str
    kind: Kind = "text"
    width: int | None = None


class Book:
    """A workbook that is written to a file a row at a time.

    Args:
        out: the file.
        title: for the file's properties.
        zone: the account's time zone: instants are shown in it, because Excel knows none.
        made_at: for the file's properties; the same data and time make the same bytes.
        demo: what is printed above each sheet of made-up data; their names say "demo" then. Empty for real data.
    """

    def __init__(self, out: BinaryIO, *, title: str, zone: str, made_at: datetime, demo: str = "") -> None:
        import xlsxwriter  # noqa: PLC0415

        options = {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "nan_inf_to_errors": False,
        }
        self._book = xlsxwriter.Workbook(out, options)
        self._book.set_properties({"title": title, "created": made_at.replace(tzinfo=None)})
        self._zone = ZoneInfo(zone)
        self._demo = demo
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}
        self._names: set[str] = set()
        self.rows = self.cut_cells = 0

    def close(self) -> None:
        """Finish the file."""
        self._book.close()

    def sheet(self, name: str) -> Sheet:
        """A new sheet, under a name that Excel takes: at most 31 characters, none of `[]:*?/\\`, no name twice."""
        mark = " (demo)" if self._demo else ""
        plain = (_UNSAFE.sub(" ", name).strip(" '")[: 31 - len(mark)].strip(" '") or "1") + mark
        safe, number = plain, 2
        while safe.lower() in self._names:
            safe = f"{plain[: 31 - len(str(number)) - 1]} {number}"
            number += 1
        self._names.add(safe.lower())
        sheet = self._book.add_worksheet(safe)
        sheet.set_landscape()
        if self._demo:
            sheet.set_header(f"&C&B{self._demo}")
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.hide_gridlines(2)
        return sheet

    def table(self, sheet: Sheet, heads: Sequence[Head], rows: Iterable[Sequence[Any]]) -> int:
        """A header that stays in view, and rows below it with filters; returns how many.

        A value may be a pair: itself and a kind that is not its column's.
        """
        for place, head in enumerate(heads):
            width = head.width or max(_WIDTHS.get(head.kind, 11), min(len(head.text), 22) + 3)
            sheet.set_column(place, place, width)
        self.header(
            sheet,
            0,
            [head.text for head in heads],
            {place for place, head in enumerate(heads) if head.kind not in ("text", "boolean")},
        )
        count = 0
        for count, row in enumerate(rows, start=1):
            for place, (head, value) in enumerate(zip(heads, row, strict=True)):
                shown, kind = value if isinstance(value, tuple) else (value, head.kind)
                self.cell(sheet, count, place, shown, kind)
        sheet.freeze_panes(1, 1)
        sheet.repeat_rows(0)
        sheet.autofilter(0, 0, max(count, 1), len(heads) - 1)
        self.rows += count
        return count

    def header(self, sheet: Sheet, row: int, texts: Sequence[str], to_the_right: Collection[int] = ()) -> None:
        """A row of heads; those above numbers to the right, as the numbers are."""
        look = {"bold": True, "font_color": "white", "bg_color": DARK, "text_wrap": True, "bottom": 1}
        sheet.set_row(row, 34)
        for place, text in enumerate(texts):
            side: dict[str, Any] = {"align": "right"} if place in to_the_right else {"align": "left", "indent": 1}
            sheet.write_string(row, place, text, self.style(valign="vcenter", **look, **side))

    def cell(self, sheet: Sheet, row: int, column: int, value: Any, kind: Kind = "text", **style: Any) -> None:
        """One cell; None is an empty one. Durations are given in seconds."""
        own: dict[str, Any] = {"num_format": _NUMBERS[kind]} if kind in _NUMBERS else {"align": "left", "indent": 1}
        look = self.style(**own | style)
        if value is None:
            sheet.write_blank(row, column, None, look)
        elif kind in ("date", "instant"):
            sheet.write_datetime(row, column, self._local(value), look)
        elif kind == "boolean":
            sheet.write_boolean(row, column, value, look)
        elif kind == "text":
            sheet.write_string(row, column, self._fit(str(value)), look)
        elif not math.isfinite(value):
            sheet.write_string(row, column, str(value), look)
        else:
            sheet.write_number(row, column, value / 86400 if kind == "duration" else float(value), look)

    def style(self, **look: Any) -> Any:
        """A format, made once."""
        key = tuple(sorted(look.items()))
        if key not in self._formats:
            base = {"font_name": "Calibri", "font_size": 10, "font_color": INK, "valign": "top"}
            self._formats[key] = self._book.add_format(base | look)
        return self._formats[key]

    def colour_scale(self, sheet: Sheet, first: tuple[int, int], last: tuple[int, int]) -> None:
        """Colours of numbers from low to high; empty cells keep none."""
        sheet.conditional_format(
            *first,
            *last,
            {
                "type": "3_color_scale",
                "min_color": LOW,
                "mid_color": MIDDLE,
                "max_color": HIGH,
                "mid_type": "percentile",
                "mid_value": 50,
            },
        )

    def bars(self, sheet: Sheet, first: tuple[int, int], last: tuple[int, int]) -> None:
        """Bars of shares behind their numbers, from 0 to 1."""
        sheet.conditional_format(
            *first,
            *last,
            {
                "type": "data_bar",
                "bar_color": "#9CC3CF",
                "bar_solid": True,
                "min_type": "num",
                "min_value": 0,
                "max_type": "num",
                "max_value": 1,
            },
        )

    def chart(self, kind: Literal["column", "line"]) -> Any:
        """A chart of cells, for `Worksheet.insert_chart`."""
        return self._book.add_chart({"type": kind})

    def _fit(self, text: str) -> str:
        """Text as long as a cell can hold, its lines ended as Excel's are; an emoji counts twice."""
        text = text.replace("\r\n", "\n")
        if len(text) * 2 <= MAX_UNITS or len(text.encode("utf-16-le")) <= MAX_UNITS * 2:
            return text
        self.cut_cells += 1
        return text.encode("utf-16-le")[: (MAX_UNITS - 1) * 2].decode("utf-16-le", "ignore") + "…"

    def _local(self, value: date) -> date:
        if isinstance(value, datetime) and value.tzinfo:
            return value.astimezone(self._zone).replace(tzinfo=None)
        return value
