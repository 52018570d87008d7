"""The weekly response-time heatmap as people see it: read from the mart, painted as a picture."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import psycopg
from psycopg.rows import class_row

from dagster_project.exports.pictures.png import Canvas, Colour
from dagster_project.warehouse.connection import has_relation
from dagster_project.warehouse.directory import NOTHING_YET

Band = Literal["fast", "average", "slow", "no_data"]
DIRECTIONS = ("all", "incoming", "outgoing", "outgoing_broadcast", "outgoing_all", "converted")
DEFAULT_DIRECTION = "incoming"  # in the others nobody waits for a first response
OFFICE_HOURS = ("all", "office_hours", "non_office_hours")
MONDAY_FIRST = (1, 2, 3, 4, 5, 6, 0)
DAYS = {1: "Lun", 2: "Mar", 3: "Mié", 4: "Jue", 5: "Vie", 6: "Sáb", 0: "Dom"}

# Blue to red over pale yellow: told apart by colour-blind eyes and in grey.
COLOURS: dict[Band, Colour] = {
    "no_data": (228, 228, 228),
    "fast": (69, 137, 196),
    "average": (254, 224, 144),
    "slow": (215, 48, 39),
}
_PALETTE: list[Colour] = [(255, 255, 255), (60, 60, 60), *COLOURS.values()]
_NUMBER = {band: number for number, band in enumerate(COLOURS, start=2)}


class NoSuchWeek(Exception):
    """The week asked for is not there; the text says which weeks are."""


@dataclass(frozen=True)
class Cell:
    """One weekday × hour of a week; times in seconds, None where no chat was answered."""

    day_of_week: int
    hour: int
    chat_count: int
    mean_seconds: float | None
    p50_seconds: float | None
    p90_seconds: float | None
    band: Band


@dataclass(frozen=True)
class Heatmap:
    """The 168 cells of one local week and what they were filtered by.

    `fastest` and `slowest` are cells of at least `slot_min_chat_count` chats; None where no cell has that many.
    """

    week_start: date
    agent_id: str
    direction_filter: str
    office_hours_filter: str
    cells: dict[tuple[int, int], Cell]
    slot_min_chat_count: int
    fastest: Cell | None
    slowest: Cell | None

    @property
    def chat_count(self) -> int:
        """Answered chats of the week."""
        return sum(cell.chat_count for cell in self.cells.values())

    @property
    def mean_seconds(self) -> float | None:
        """The week's mean first response, weighted by chats."""
        total = sum((cell.mean_seconds or 0) * cell.chat_count for cell in self._filled)
        return total / self.chat_count if self.chat_count else None

    @property
    def _filled(self) -> Iterable[Cell]:
        return [cell for cell in self.cells.values() if cell.mean_seconds is not None]


def read(
    connection: psycopg.Connection,
    week_start: date,
    *,
    agent_id: str = "all",
    direction: str = DEFAULT_DIRECTION,
    office_hours: str = "all",
) -> Heatmap:
    """The heatmap of a week.

    Args:
        week_start: the week's local Monday.
        agent_id: an agent's id, or "all".
        direction: one of `DIRECTIONS`; by default the chats that customers began, converted ones too.
        office_hours: one of `OFFICE_HOURS`.

    Raises:
        NoSuchWeek: the day is no Monday, lies in the future or before the first chat, or the agent is unknown.
    """
    if not _is_built(connection):
        raise NoSuchWeek(NOTHING_YET)
    filters = [week_start, agent_id, direction, office_hours]
    with connection.cursor(row_factory=class_row(Cell)) as cursor:
        read = cursor.execute(
            """
            select day_of_week, hour, chat_count, mean_first_response_seconds as mean_seconds,
                   p50_first_response_seconds as p50_seconds, p90_first_response_seconds as p90_seconds, band
            from marts.weekly_response_time_heatmap
            where week_start = %s and agent_id = %s and direction_filter = %s and office_hours_filter = %s
            """,
            filters,
        ).fetchall()
    slots = connection.execute(
        """
        select slot_min_chat_count, fastest_day_of_week, fastest_hour, slowest_day_of_week, slowest_hour
        from marts.weekly_response_time_summary
        where week_start = %s and agent_id = %s and direction_filter = %s and office_hours_filter = %s
        """,
        filters,
    ).fetchone()
    if len(read) != 168 or not slots:
        raise NoSuchWeek(_why_not(connection, week_start, agent_id))
    cells = {(cell.day_of_week, cell.hour): cell for cell in read}
    fastest, slowest = cells.get(slots[1:3]), cells.get(slots[3:5])
    return Heatmap(week_start, agent_id, direction, office_hours, cells, slots[0], fastest, slowest)


def last_full_week(connection: psycopg.Connection) -> date | None:
    """The Monday of the newest week that lies wholly before the newest chat's day; None where there are no chats.

    While there are chats of one week only, it is that week.
    """
    if not _is_built(connection):
        return None
    row = connection.execute(
        "select max(created_local_date), min(created_local_date) from marts.chat_response_times"
    ).fetchone()
    if not row or row[0] is None:
        return None
    newest, oldest = row
    return max(newest - timedelta(days=newest.weekday() + 7), oldest - timedelta(days=oldest.weekday()))


def picture(heatmap: Heatmap, cell: int = 16) -> bytes:
    """The heatmap as a PNG: a row a weekday from Monday (L M M J V S D), a column an hour.

    Args:
        cell: size of a cell in pixels.
    """
    scale = max(cell // 12, 1)
    margin = 5 * scale + 4
    canvas = Canvas(margin + 24 * cell, margin + 7 * cell)
    for hour in range(24):
        canvas.write(margin + hour * cell + (cell - 7 * scale) // 2, 2, f"{hour:02}", 1, scale)
    for row, day in enumerate(MONDAY_FIRST):
        canvas.write(2, margin + row * cell + (cell - 5 * scale) // 2, DAYS[day][0], 1, scale)
        for hour in range(24):
            band = heatmap.cells[day, hour].band
            canvas.fill(margin + hour * cell, margin + row * cell, cell - 1, cell - 1, _NUMBER[band])
    return canvas.png(_PALETTE)


def short(seconds: float | None) -> str:
    """A duration in at most three signs: 45s, 12m, 3h, 2d; "·" where there is none."""
    if seconds is None:
        return "·"
    for limit, size, unit in ((99.5, 1, "s"), (99.5 * 60, 60, "m"), (99.5 * 3600, 3600, "h")):
        if seconds < limit:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds / 86400:.0f}d"


def _why_not(connection: psycopg.Connection, week_start: date, agent_id: str) -> str:
    if week_start.weekday():
        return f"{week_start} is no Monday: that week began on {week_start - timedelta(days=week_start.weekday())}"
    weeks = connection.execute(
        "select min(created_week_start), max(created_week_start) from marts.chat_response_times"
    ).fetchone()
    if not weeks or weeks[0] is None:
        return NOTHING_YET
    if not weeks[0] <= week_start <= weeks[1]:
        return f"no heatmap of the week of {week_start}: there are weeks from {weeks[0]} to {weeks[1]}"
    return f"no agent {agent_id!r}"


def _is_built(connection: psycopg.Connection) -> bool:
    return has_relation(connection, "marts.weekly_response_time_heatmap")
