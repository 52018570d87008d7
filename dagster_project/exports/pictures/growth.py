"""How a table grows, as a picture: its rows by day, the line they follow, and the thresholds that it comes to."""

from dataclasses import dataclass
from datetime import date, timedelta

import psycopg

from dagster_project.exports.pictures.png import Canvas, Colour
from dagster_project.exports.queries import Between, select
from dagster_project.warehouse.connection import has_relation

_PALETTE: list[Colour] = [(255, 255, 255), (60, 60, 60), (69, 137, 196), (158, 202, 225), (215, 48, 39)]
_DARK, _POINT, _LINE, _THRESHOLD = 1, 2, 3, 4
_DAYS_BACK, _DAYS_AHEAD = 28, 365
_MARGIN = 22


@dataclass(frozen=True)
class Growth:
    """The last days of a table, and where it goes.

    `rows` are by day; `daily_rows` is what it grows by; `thresholds` are (rows, the day they are reached).
    """

    schema: str
    table: str
    rows: dict[date, int]
    daily_rows: float
    thresholds: list[tuple[int, date]]

    @property
    def today(self) -> date:
        """The last day that is known."""
        return max(self.rows)


def read(connection: psycopg.Connection, tables: int) -> list[Growth]:
    """The tables that come to a threshold first, at most so many; none before the audit has a week of days."""
    if not has_relation(connection, "marts.database_projection"):
        return []
    found = select(
        connection, _Projection, "marts.database_projection", {"state": "projected"}, order_by="reached_date"
    )
    first = dict.fromkeys((row.schema_name, row.table_name) for row in found)
    return [
        _growth(connection, [row for row in found if (row.schema_name, row.table_name) == name])
        for name in list(first)[:tables]
    ]


def picture(growth: Growth, width: int = 260, height: int = 100) -> bytes:
    """The picture as a PNG: points for days, a line for what is to come, red for a threshold, with its million rows.

    It goes as far as the first threshold, at most a year.
    """
    _, reached = growth.thresholds[0]
    first, last = min(growth.rows), min(reached, growth.today + timedelta(days=_DAYS_AHEAD))
    now = growth.rows[growth.today]
    top = max(*growth.rows.values(), now + growth.daily_rows * (last - growth.today).days) * 1.05
    canvas = Canvas(width, height)

    def x(day: date) -> int:
        return _MARGIN + (width - _MARGIN - 2) * (day - first).days // max((last - first).days, 1)

    def y(rows: float) -> int:
        return int((height - 10) * (1 - min(rows, top) / top))

    canvas.fill(_MARGIN - 1, 0, 1, height - 9, _DARK)
    canvas.fill(_MARGIN - 1, height - 9, width - _MARGIN, 1, _DARK)
    for rows, _ in growth.thresholds:
        if rows <= top:
            canvas.fill(_MARGIN, y(rows), width - _MARGIN, 1, _THRESHOLD)
            canvas.write(1, max(y(rows) - 2, 0), f"{rows // 1_000_000}M", _THRESHOLD)
    start, end = x(growth.today), x(last)
    for place in range(start, end + 1):
        days = (last - growth.today).days * (place - start) / max(end - start, 1)
        canvas.fill(place, y(now + growth.daily_rows * days), 1, 2, _LINE)
    for at, rows in growth.rows.items():
        canvas.fill(x(at) - 1, y(rows) - 1, 3, 3, _POINT)
    canvas.write(_MARGIN, height - 6, f"{first:%Y}  {first:%m}  {first:%d}", _DARK)
    canvas.write(width - 44, height - 6, f"{last:%Y}  {last:%m}  {last:%d}", _DARK)
    return canvas.png(_PALETTE)


def _growth(connection: psycopg.Connection, found: "list[_Projection]") -> Growth:
    table = found[0]
    days = select(
        connection,
        _Day,
        "marts.database_sizes_daily",
        {
            "schema_name": table.schema_name,
            "table_name": table.table_name,
            "day": Between(table.as_of_date - timedelta(days=_DAYS_BACK - 1), table.as_of_date),
        },
    )
    return Growth(
        table.schema_name,
        table.table_name,
        {day.day: day.row_count for day in days if day.row_count is not None},
        table.daily_row_growth,
        [(row.threshold_row_count, row.reached_date) for row in found],
    )


@dataclass(frozen=True)
class _Projection:
    schema_name: str
    table_name: str
    threshold_row_count: int
    as_of_date: date
    reached_date: date
    daily_row_growth: float


@dataclass(frozen=True)
class _Day:
    day: date
    row_count: int | None
