"""Questions about a week's heatmap: its cells, and what is behind one of them."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import psycopg

from dagster_project.exports.pictures import heatmap as pictures
from dagster_project.exports.queries import select
from dagster_project.exports.week import MONDAY_FIRST, day_name
from dagster_project.questions import asking
from dagster_project.questions.answers import CellAnswer, CellChat, Filters, HeatmapAnswer, Part, Slot
from dagster_project.questions.errors import QuestionFailed
from dagster_project.questions.names import members, shown

Direction = Literal["all", "incoming", "outgoing", "outgoing_broadcast", "outgoing_all", "converted"]
OfficeHours = Literal["all", "office_hours", "non_office_hours"]
_MARKS = {"fast": "+", "average": " ", "slow": "!", "no_data": " "}
_MAX_CHATS = 50
# The columns of the marts behind the fields of a cell.
_NAMED: dict[str, Any] = {
    "mean_seconds": "mean_first_response_seconds",
    "p50_seconds": "p50_first_response_seconds",
    "p90_seconds": "p90_first_response_seconds",
}


@dataclass(frozen=True)
class Chosen:
    """Which heatmap: a week and its filters, as they are asked for."""

    week: str = "last"
    scope: asking.Scope = "all"
    member: str | None = None
    direction: Direction = "incoming"
    office_hours: OfficeHours = "all"


@dataclass(frozen=True)
class Week:
    """A week's heatmap as an answer, and as it is painted."""

    answer: HeatmapAnswer
    heatmap: pictures.Heatmap

    def text(self) -> str:
        """The heatmap as a table: a row a weekday, a column an hour, + fast, ! slow."""
        head = "     " + "".join(f"{hour:>5}" for hour in range(24))
        rows = [
            f"{day_name(day, 'en'):<5}"
            + "".join(
                f"{pictures.short(cell.mean_seconds):>4}{_MARKS[cell.band]}"
                for cell in (self.heatmap.cells[day, hour] for hour in range(24))
            )
            for day in MONDAY_FIRST
        ]
        return "\n".join([head, *rows])


def week(conn: psycopg.Connection, chosen: Chosen) -> Week:
    """A week's first responses by weekday and hour.

    Raises:
        QuestionFailed: no such week or member.
    """
    start, condition, filters = _filters(conn, chosen)
    table = "marts.weekly_response_time_heatmap"
    cells = {(cell.day_of_week, cell.hour): cell for cell in select(conn, pictures.Cell, table, condition, **_NAMED)}
    totals = select(conn, _Totals, "marts.weekly_response_time_summary", condition, **_NAMED)
    if len(cells) != 168 or not totals:
        raise QuestionFailed(f"There is no heatmap of {filters.members or 'all'} in the week of {start}.")
    [total] = totals
    fastest = cells.get((total.fastest_day_of_week, total.fastest_hour))
    slowest = cells.get((total.slowest_day_of_week, total.slowest_hour))
    painted = pictures.Heatmap(
        start,
        "all",
        chosen.direction,
        chosen.office_hours,
        cells,
        total.chat_count,
        total.mean_seconds,
        total.slot_min_chat_count,
        fastest,
        slowest,
    )
    answer = HeatmapAnswer(
        week_start=start,
        filters=filters,
        count=total.chat_count,
        mean_seconds=total.mean_seconds,
        p50_seconds=total.p50_seconds,
        p90_seconds=total.p90_seconds,
        slot_min_chat_count=total.slot_min_chat_count,
        fastest=_slot(fastest),
        slowest=_slot(slowest),
        cells=[slot for cell in cells.values() if cell.chat_count and (slot := _slot(cell))],
        freshness=asking.freshness(conn, ["weekly_response_time_heatmap"]),
        note=asking.why_no_times(conn, chosen.scope, [condition["scope_id"]]),
    )
    return Week(answer, painted)


def cell(conn: psycopg.Connection, chosen: Chosen, day_of_week: int, hour: int) -> CellAnswer:
    """What is behind a cell: its chats by status and agent, and the slowest of them.

    Raises:
        QuestionFailed: no such week or member.
    """
    start, condition, filters = _filters(conn, chosen)
    condition |= {"day_of_week": day_of_week, "hour": hour}
    people = members(conn, "agent")
    parts = select(conn, _Member, "marts.heatmap_cell_breakdown", condition, mean_seconds="mean_first_response_seconds")
    chats = select(conn, _Chat, "marts.heatmap_cell_chats", condition, order_by="slowest_rank", limit=_MAX_CHATS)
    by_status = [one for one in parts if one.dimension == "status"]
    return CellAnswer(
        week_start=start,
        day_of_week=day_of_week,
        hour=hour,
        filters=filters,
        count=sum(one.chat_count for one in by_status),
        by_status=[_part(one, shown(one.member)) for one in by_status],
        by_agent=[_part(one, people.shown(one.member).name) for one in parts if one.dimension == "agent"],
        slowest_chats=[
            CellChat(
                chat_id=shown(chat.chat_id),
                first_response_seconds=chat.first_response_seconds,
                difference_to_week_mean_pct=chat.difference_to_week_mean_pct,
                performance=chat.performance,
                agent=people.shown(chat.chat_agent_id).name if chat.chat_agent_id else None,
                channel=shown(chat.channel),
                status=shown(chat.status),
            )
            for chat in chats
        ],
        freshness=asking.freshness(conn, ["heatmap_cell_chats"]),
        note=asking.why_no_times(conn, chosen.scope, [condition["scope_id"]]),
    )


def _filters(conn: psycopg.Connection, chosen: Chosen) -> tuple[date, dict[str, Any], Filters]:
    """The week, the columns of the marts by which it is found, and the filters as answers show them."""
    start = asking.monday(asking.span(conn), chosen.week)
    key, name = asking.scope_key(conn, chosen.scope, chosen.member)
    condition = {
        "week_start": start,
        "scope": chosen.scope,
        "scope_id": key,
        "direction_filter": chosen.direction,
        "office_hours_filter": chosen.office_hours,
    }
    people = [] if chosen.scope == "all" else [name]
    return (
        start,
        condition,
        Filters(scope=chosen.scope, members=people, direction=chosen.direction, office_hours=chosen.office_hours),
    )


def _slot(cell: pictures.Cell | None) -> Slot | None:
    if cell is None:
        return None
    return Slot(
        day_of_week=cell.day_of_week,
        day=asking.day_name(cell.day_of_week),
        hour=cell.hour,
        chat_count=cell.chat_count,
        mean_seconds=cell.mean_seconds,
        p50_seconds=cell.p50_seconds,
        p90_seconds=cell.p90_seconds,
        band=cell.band,
    )


def _part(one: "_Member", name: str) -> Part:
    return Part(name=name, chat_count=one.chat_count, mean_seconds=one.mean_seconds)


@dataclass(frozen=True)
class _Totals:
    chat_count: int
    mean_seconds: float | None
    p50_seconds: float | None
    p90_seconds: float | None
    slot_min_chat_count: int
    fastest_day_of_week: int
    fastest_hour: int
    slowest_day_of_week: int
    slowest_hour: int


@dataclass(frozen=True)
class _Member:
    dimension: str
    member: str
    chat_count: int
    mean_seconds: float | None


@dataclass(frozen=True)
class _Chat:
    chat_id: str
    first_response_seconds: int | None
    difference_to_week_mean_pct: float | None
    performance: str | None
    chat_agent_id: str | None
    channel: str
    status: str
