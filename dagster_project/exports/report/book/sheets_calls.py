"""The sheets of a report's workbook about a website's calls: outcomes, coverage, staffing, agents, the funnel."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from dagster_project.exports.formats.excel_file import Book, Head, Kind
from dagster_project.exports.i18n.column_titles import title
from dagster_project.exports.report.book.sheets import Texts, week_grids
from dagster_project.exports.report.data.calls import CallAgent, CallGroup, Calls, CoveredScope, Funnel, StaffedHour
from dagster_project.exports.report.data.report import ReportData
from dagster_project.exports.report.view.calls import name_of

_OF_ALL = ("target_seconds", "target_share")  # the same in each row


def calls(book: Book, say: Texts, data: ReportData) -> None:
    """A row for all, and a row a pool, site, country and disposition."""
    columns = [name for name in _columns(CallGroup) if name not in _OF_ALL]
    _scopes(book, say, "calls", columns, _found(data).groups)


def funnel(book: Book, say: Texts, data: ReportData) -> None:
    """A row for all visits, and a row a pool, site and country."""
    _scopes(book, say, "funnel", _columns(Funnel), _found(data).funnels)


def coverage(book: Book, say: Texts, data: ReportData) -> None:
    """Grids of weekday and hour: the part with somebody signed in, agents, and what was asked for with nobody."""
    cells = {(cell.day_of_week, cell.hour): cell for cell in _found(data).cells}
    measures: tuple[tuple[str, Kind], ...] = (
        ("covered_share", "share"),
        ("mean_agent_count", "decimal"),
        ("uncovered_pageview_count", "whole"),
        ("uncovered_call_count", "whole"),
        ("pageview_count", "whole"),
        ("call_count", "whole"),
    )
    sheet = book.sheet(say("sheet.coverage"))
    week_grids(
        book,
        say,
        sheet,
        [
            (title(name, say.words.language), {place: _seen(cell, name) for place, cell in cells.items()}, kind)
            for name, kind in measures
        ],
    )


def covered(book: Book, say: Texts, data: ReportData) -> None:
    """A row for all, and a row an organization and pool."""
    _scopes(book, say, "covered", _columns(CoveredScope), _found(data).covered)


def staffing(book: Book, say: Texts, data: ReportData) -> None:
    """A row a pool and hour of the week with calls."""
    columns = [name for name in _columns(StaffedHour) if name not in ("pool_name", "day_of_week")]
    day = Head(say.words.text("heatmap.day"), "text", 12)
    heads = [Head(say.words.text("calls.head.pool"), "text", 24), day, *_heads(columns, say)]
    rows = (
        [hour.pool_name, say.words.weekday(hour.day_of_week, long=True), *(getattr(hour, name) for name in columns)]
        for hour in _found(data).hours
    )
    book.table(book.sheet(say("sheet.staffing")), heads, rows)


def agents(book: Book, say: Texts, data: ReportData) -> None:
    """A row an agent."""
    columns = [name for name in _columns(CallAgent) if name not in ("agent_id", "agent_name")]
    heads = [Head(say.words.text("column.agent"), "text", 26), *_heads(columns, say)]
    rows = ([one.agent_name, *(getattr(one, name) for name in columns)] for one in _found(data).each_agent)
    book.table(book.sheet(say("sheet.call_agents")), heads, rows)


def _scopes(
    book: Book, say: Texts, sheet: str, columns: Sequence[str], found: Iterable[CallGroup | Funnel | CoveredScope]
) -> None:
    words, measures = say.words, [name for name in columns if not name.startswith("scope")]
    heads = [Head(words.text("rooms.sheet.of"), "text", 16), Head(words.text("rooms.sheet.member"), "text", 30)]
    rows = (
        [
            words.text("dashboard.everybody" if one.scope == "all" else f"calls.head.{one.scope}"),
            name_of(one.scope, one.scope_id, one.scope_name, words),
            *(getattr(one, name) for name in measures),
        ]
        for one in found
    )
    book.table(book.sheet(say(f"sheet.{sheet}")), [*heads, *_heads(measures, say)], rows)


def _heads(columns: Iterable[str], say: Texts) -> list[Head]:
    return [Head(_title(name, say), _kind(name)) for name in columns]


def _title(column: str, say: Texts) -> str:
    """Times of days are in hours; those of a call take seconds, and minutes would hide them."""
    text = title(column, say.words.language)
    return text.replace("(min)", "(h:mm)" if _kind(column) == "duration" else "(s)")


def _kind(column: str) -> Kind:
    if column.startswith("is_"):
        return "boolean"
    if column.startswith("signed_in") or column.endswith("_seconds_sum"):
        return "duration"
    if column.endswith(("_share", "_rate", "_level")):
        return "share"
    return "whole" if (column.endswith("_count") and not column.startswith("mean_")) or column == "hour" else "decimal"


def _columns(kind: Any) -> list[str]:
    return [field.name for field in fields(kind)]


def _seen(cell: Any, name: str) -> Any:
    """A count of 0 is empty, so that the others stand out."""
    value = getattr(cell, name)
    return None if value == 0 and name.endswith("_count") else value


def _found(data: ReportData) -> Calls:
    assert data.calls
    return data.calls
