"""Traffic and backlog: when chats come, and how many stay open from midnight to midnight."""

from typing import Any

from dagster_project.dashboard import charts
from dagster_project.dashboard.blocks import Cell, HeatCell, Heatmap, Section, Table, Text
from dagster_project.dashboard.shown import Shown
from dagster_project.exports.report.reading import kpis, times
from dagster_project.exports.report.view import operations
from dagster_project.exports.report.view.charts import shaded
from dagster_project.exports.week import CELLS, MONDAY_FIRST


def page(shown: Shown) -> list[Section]:
    say, selection = shown.say, shown.selection
    backlog = kpis.backlog(selection)
    data = shown.report(traffic=times.traffic(selection), backlog=backlog)
    kind = say.kind(data.direction)
    chats = [cell.chat_count or None for cell in data.traffic]
    messages = [cell.message_count or None for cell in data.traffic]
    open_ones: Any = operations.operations(data, say)["backlog"]
    return [
        Section(
            say.text("heatmap.traffic"),
            [_heatmap(chats, say.text("heatmap.traffic"), shown)],
            intro=say.text("heatmap.traffic.caption", kind=kind),
        ),
        Section(
            say.text("dashboard.messages"),
            [_heatmap(messages, say.text("dashboard.messages"), shown)],
            intro=say.text("service.caption.backlog"),
        ),
        Section(
            say.text("operations.backlog"),
            [Text([say.text("no_data")])]
            if open_ones["empty"]
            else [charts.lines(open_ones), _midnights(shown, backlog)],
            intro=say.text("service.caption.backlog"),
            is_split=not open_ones["empty"],
        ),
    ]


def _heatmap(counts: list[int | None], caption: str, shown: Shown) -> Heatmap:
    say, told = shown.say, shaded(counts, shown.say)
    return Heatmap(
        caption,
        say.text("heatmap.day"),
        [say.weekday(day, long=True) for day in MONDAY_FIRST],
        [
            [
                HeatCell(
                    "" if count is None else say.number(count),
                    cell["shade"],
                    "" if count is None else _told(place, count, shown),
                )
                for cell, place, count in zip(row, CELLS[start : start + 24], counts[start : start + 24], strict=True)
            ]
            for row, start in zip(told["rows"], range(0, 168, 24), strict=True)
        ],
        [(entry["shade"], entry["label"]) for entry in told["legend"]],
        "volume",
    )


def _told(place: tuple[int, int], count: int, shown: Shown) -> str:
    day, hour = place
    return f"{shown.say.weekday(day, long=True)} {hour:02}:00–{hour + 1:02}:00: {shown.say.number(count)}"


def _midnights(shown: Shown, backlog: tuple[Any, ...]) -> Table:
    say = shown.say
    columns = ("open", "waiting_pickup", "waiting_answer", "over_1d", "over_7d")
    fields = ("open_count", "waiting_for_pickup_count", "waiting_for_answer_count", "over_1d_count", "over_7d_count")
    return Table(
        say.text("operations.backlog"),
        [say.text("heatmap.day"), *(say.text(f"head.{column}") for column in columns)],
        [
            [
                Cell(f"{say.weekday(midnight.day.isoweekday() % 7)} {say.short_day(midnight.day)}"),
                *(Cell("–" if (count := getattr(midnight, field)) is None else say.number(count)) for field in fields),
            ]
            for midnight in backlog
        ],
        is_caption_shown=False,
    )
