"""The weekly response-time heatmap as people see it: read from the mart, painted as a picture."""

from dataclasses import dataclass
from datetime import date, timedelta

import psycopg

from dagster_project.exports.pictures.png import Canvas, Colour
from dagster_project.exports.queries import select
from dagster_project.exports.report.data.times import Band
from dagster_project.exports.week import CELLS, MONDAY_FIRST, day_name
from dagster_project.warehouse.connection import has_relation
from dagster_project.warehouse.directory import NOTHING_YET, shown_by_default

DIRECTIONS = ("all", "incoming", "outgoing", "outgoing_broadcast", "outgoing_all", "converted")
DEFAULT_DIRECTION = "incoming"  # in the others nobody waits for a first response
OFFICE_HOURS = ("all", "office_hours", "non_office_hours")

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

    `chat_count` are its answered chats, `mean_seconds` the mean of their first responses. `fastest` and `slowest` are
    cells of at least `slot_min_chat_count` chats; None where no cell has that many. `source` is the one that its chats
    come from, all where they come from one alone or were asked for together; these have no times.
    """

    week_start: date
    agent_id: str
    direction_filter: str
    office_hours_filter: str
    cells: dict[tuple[int, int], Cell]
    chat_count: int
    mean_seconds: float | None
    slot_min_chat_count: int
    fastest: Cell | None
    slowest: Cell | None
    source: str = "all"


def read(
    connection: psycopg.Connection,
    week_start: date,
    *,
    agent_id: str = "all",
    source: str | None = None,
    direction: str = DEFAULT_DIRECTION,
    office_hours: str = "all",
) -> Heatmap:
    """The heatmap of a week.

    Args:
        week_start: the week's local Monday.
        agent_id: an agent's id, or "all".
        source: of all agents, the conversations of one source, or "all"; by default what the warehouse shows.
        direction: one of `DIRECTIONS`; by default the chats that customers began, converted ones too.
        office_hours: one of `OFFICE_HOURS`.

    Raises:
        NoSuchWeek: the day is no Monday, lies in the future or before the first chat, or the agent is unknown.
    """
    if not _is_built(connection):
        raise NoSuchWeek(NOTHING_YET)
    scope, scope_id = _whose(connection, agent_id, source)
    filters = {
        "week_start": week_start,
        "scope": scope,
        "scope_id": scope_id,
        "direction_filter": direction,
        "office_hours_filter": office_hours,
    }
    found = select(
        connection,
        Cell,
        "marts.weekly_response_time_heatmap",
        filters,
        mean_seconds="mean_first_response_seconds",
        p50_seconds="p50_first_response_seconds",
        p90_seconds="p90_first_response_seconds",
    )
    weeks = select(
        connection,
        _Week,
        "marts.weekly_response_time_summary",
        filters,
        mean_seconds="mean_first_response_seconds",
    )
    if len(found) != len(CELLS) or not weeks:
        raise NoSuchWeek(_why_not(connection, week_start, agent_id))
    cells = {(cell.day_of_week, cell.hour): cell for cell in found}
    [week] = weeks
    return Heatmap(
        week_start,
        agent_id,
        direction,
        office_hours,
        cells,
        week.chat_count,
        week.mean_seconds,
        week.slot_min_chat_count,
        cells.get((week.fastest_day_of_week, week.fastest_hour)),
        cells.get((week.slowest_day_of_week, week.slowest_hour)),
        scope_id if scope == "source" else "all",
    )


def _whose(connection: psycopg.Connection, agent_id: str, source: str | None) -> tuple[str, str]:
    if agent_id != "all":
        return "agent", agent_id
    if source is None:
        return shown_by_default(connection)
    return ("all", "all") if source == "all" else ("source", source)


def last_full_week(connection: psycopg.Connection) -> date | None:
    """The Monday of the newest week that lies wholly before the newest chat's day; None where there are no chats.

    While there are chats of one week only, it is that week.
    """
    if not _is_built(connection):
        return None
    [span] = select(connection, _Span, "marts.data_span", {})
    return span.last_full_week_start


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
        canvas.write(2, margin + row * cell + (cell - 5 * scale) // 2, day_name(day)[0], 1, scale)
        for hour in range(24):
            band = heatmap.cells[day, hour].band
            canvas.fill(margin + hour * cell, margin + row * cell, cell - 1, cell - 1, _NUMBER[band])
    return canvas.png(_PALETTE)


def short(seconds: float | None) -> str:
    """A duration in at most three characters: 45s, 12m, 3h, 2d; "·" where there is none."""
    if seconds is None:
        return "·"
    for limit, size, unit in ((99.5, 1, "s"), (99.5 * 60, 60, "m"), (99.5 * 3600, 3600, "h")):
        if seconds < limit:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds / 86400:.0f}d"


def _why_not(connection: psycopg.Connection, week_start: date, agent_id: str) -> str:
    if week_start.weekday():
        return f"{week_start} is no Monday: that week began on {week_start - timedelta(days=week_start.weekday())}"
    [span] = select(connection, _Span, "marts.data_span", {})
    if span.first_week_start is None or span.last_week_start is None:
        return NOTHING_YET
    if not span.first_week_start <= week_start <= span.last_week_start:
        return (
            f"no heatmap of the week of {week_start}: there are weeks from {span.first_week_start} "
            f"to {span.last_week_start}"
        )
    return f"no agent {agent_id!r}"


def _is_built(connection: psycopg.Connection) -> bool:
    return has_relation(connection, "marts.weekly_response_time_heatmap")


@dataclass(frozen=True)
class _Week:
    chat_count: int
    mean_seconds: float | None
    slot_min_chat_count: int
    fastest_day_of_week: int
    fastest_hour: int
    slowest_day_of_week: int
    slowest_hour: int


@dataclass(frozen=True)
class _Span:
    first_week_start: date | None
    last_week_start: date | None
    last_full_week_start: date | None
