"""The sheets of a report's workbook with its KPIs, times, targets, backlog and quality."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dagster_project.exports.formats.excel_file import Book, Head, Kind, Sheet
from dagster_project.exports.i18n.wording import Wording
from dagster_project.exports.report.data.kpis import Kpi
from dagster_project.exports.report.data.report import ReportData
from dagster_project.exports.report.data.times import BUCKETS, TrendPoint, Waited
from dagster_project.exports.report.phrases import kpi_name
from dagster_project.exports.report.view.insights import slot
from dagster_project.exports.week import MONDAY_FIRST

Grid = tuple[str, dict[tuple[int, int], Any], Kind]  # its title, values by weekday and hour, what they are
OF_ALL_CHATS = {"messages_in", "messages_out", "backlog_open"}


@dataclass(frozen=True)
class Texts:
    """The texts of a language."""

    words: Wording

    def __call__(self, key: str, **parts: object) -> str:
        return self.words.text(key, **parts)

    def heads(self, *columns: tuple[str, Kind] | tuple[str, Kind, int]) -> list[Head]:
        """Heads by the keys of their texts."""
        return [Head(self(f"head.{key}"), kind, *width) for key, kind, *width in columns]


def summary(book: Book, say: Texts, data: ReportData) -> None:
    sheet = book.sheet(say("sheet.summary"))
    heads = say.heads(("metric", "text", 44), ("value", "duration"), ("unit", "text"), ("count", "whole"))
    heads += [] if data.analysis else [Head(say.words.text("population"), "text", 14)]
    if not data.analysis:
        heads += say.heads(("before", "duration"), ("change", "change"), ("verdict", "text"))
    kinds: dict[str, Kind] = {"seconds": "duration", "share": "share", "points": "points"}

    def rows() -> Iterator[list[Any]]:
        if data.is_demo:
            told = say.words.text("demo").capitalize(), None, say.words.text("demo.value")
            yield [*told, *[None] * (len(heads) - len(told))]
        for kpi in (*data.summary, *data.service):
            kind = kinds.get(kpi.unit, "whole")
            row = [kpi_name(kpi, data, say.words), (kpi.value, kind), say(f"unit.{kpi.unit}"), kpi.count]
            of = say.words.kind("all" if kpi.metric in OF_ALL_CHATS else data.direction)
            yield row if data.analysis else [*row, of, (kpi.previous, kind), _change(kpi), _verdict(say, kpi)]

    book.table(sheet, heads, rows())


def actions(book: Book, say: Texts, data: ReportData) -> None:
    """The chats to look up, those of the slowest slots and those that are breached and open."""
    sheet = book.sheet(say("sheet.actions"))
    text = say.words.text
    heads = say.heads(("reason", "text", 44), ("slot_p50", "duration"), ("slot_count", "whole"))
    heads += [
        Head(text("column.chat_id"), "text", 40),
        Head(text("column.agent"), "text", 26),
        Head(text("column.department"), "text", 26),
        Head(text("column.created"), "instant"),
        Head(text("column.waited"), "duration"),
    ]

    def rows() -> Iterator[list[Any]]:
        for number, one in enumerate(data.slots, start=1):
            reason = text("actions.slot", number=number, **slot(one.cell, say.words))
            for chat in one.chats:
                yield [reason, one.cell.p50_seconds, one.cell.chat_count, *_waited(chat)]
        for chat in data.open_breaches:
            yield [text("actions.open"), None, None, *_waited(chat)]

    book.table(sheet, heads, rows())


def _waited(chat: Waited) -> list[Any]:
    return [chat.chat_id, chat.agent_name, chat.department_name, chat.created_at, chat.seconds]


def _change(kpi: Kpi) -> tuple[float | None, Kind]:
    """Of shares the difference, in points; of all else parts of what was before."""
    if kpi.unit != "share" or kpi.change is None:
        return kpi.change, "change"
    return kpi.change * 100, "change_in_points"


def _verdict(say: Texts, kpi: Kpi) -> str | None:
    return say.words.text(f"verdict.{kpi.verdict}") if kpi.verdict in ("better", "worse") else None


def heatmap(book: Book, say: Texts, data: ReportData) -> None:
    sheet = book.sheet(say("sheet.heatmap"))
    cells = {(cell.day_of_week, cell.hour): cell for cell in data.heatmap}
    medians = {place: cell.p50_seconds for place, cell in cells.items()}
    compared = {place: value if cells[place].has_enough_chats else None for place, value in medians.items()}
    counts = {place: cell.chat_count or None for place, cell in cells.items()}
    grids: list[Grid] = [("corner.p50", medians, "duration")]
    if not data.analysis:
        grids = [("corner.compared", compared, "duration"), ("corner.all", medians, "duration")]
    corners = [(say(corner, enough=data.slot_min_chat_count), values, kind) for corner, values, kind in grids]
    week_grids(book, say, sheet, [*corners, (say("corner.chats"), counts, "whole")])


def traffic(book: Book, say: Texts, data: ReportData) -> None:
    sheet = book.sheet(say("sheet.traffic"))
    chats = {(cell.day_of_week, cell.hour): cell.chat_count or None for cell in data.traffic}
    messages = {(cell.day_of_week, cell.hour): cell.message_count or None for cell in data.traffic}
    grids: list[Grid] = [(say("corner.created"), chats, "whole")]
    has_messages = any(cell.message_count is not None for cell in data.traffic)
    week_grids(book, say, sheet, [*grids, (say("corner.messages"), messages, "whole")] if has_messages else grids)


def week_grids(book: Book, say: Texts, sheet: Sheet, grids: Sequence[Grid]) -> None:
    """Grids of 7 days × 24 hours below each other, each with colours of its own."""
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 24, 6.5)
    sheet.freeze_panes(1, 1)
    for place, (corner, values, kind) in enumerate(grids):
        top = place * 10
        book.header(sheet, top, [corner, *(f"{hour:02}" for hour in range(24))])
        for row, day in enumerate(MONDAY_FIRST, start=top + 1):
            sheet.set_row(row, 20)
            book.cell(sheet, row, 0, say.words.weekday(day, long=True), bold=True)
            for hour in range(24):
                book.cell(sheet, row, hour + 1, values.get((day, hour)), kind, align="center")
        book.colour_scale(sheet, (top + 1, 1), (top + 7, 24))
        book.rows += 7


def times(book: Book, say: Texts, data: ReportData) -> None:
    sheet = book.sheet(say("sheet.times"))
    heads = say.heads(
        ("metric", "text", 20),
        ("clock", "text", 16),
        ("count", "whole"),
        ("mean", "duration"),
        ("p50", "duration"),
        ("p90", "duration"),
        ("p95", "duration"),
        ("p99", "duration"),
    )
    if not data.analysis:
        heads += say.heads(("previous_p50", "duration"), ("previous_p90", "duration"))
        heads += [Head(say.words.text(f"bucket.{bucket}"), "whole") for bucket in BUCKETS]
    book.table(
        sheet,
        heads,
        (
            [
                say.words.text(f"metric.{times.metric}"),
                say.words.text(f"clock.{times.clock}"),
                times.count,
                times.mean_seconds,
                times.p50_seconds,
                times.p90_seconds,
                times.p95_seconds,
                times.p99_seconds,
                *([] if data.analysis else [times.previous_p50_seconds, times.previous_p90_seconds, *times.buckets]),
            ]
            for times in data.response_times
        ),
    )


def days(book: Book, say: Texts, data: ReportData) -> None:
    _trend(book, say, "days", "day", data.days)


def history(book: Book, say: Texts, data: ReportData) -> None:
    _trend(book, say, "history", "from", data.history)


def _trend(book: Book, say: Texts, name: str, first: str, points: Sequence[TrendPoint]) -> None:
    sheet = book.sheet(say(f"sheet.{name}"))
    heads = say.heads(
        (first, "date"),
        ("chats", "whole"),
        ("responses", "whole"),
        ("first_p50", "duration"),
        ("first_p90", "duration"),
        ("judged", "whole"),
        ("sla", "share"),
        ("whole", "text"),
    )
    count = book.table(
        sheet,
        heads,
        (
            [
                point.start,
                point.chat_count,
                point.first_response_count,
                point.first_response_p50_seconds,
                point.first_response_p90_seconds,
                point.sla_judged_count,
                point.sla_rate,
                None if point.is_whole else say("whole.partial"),
            ]
            for point in points
        ),
    )
    if count:
        _chart(book, say, sheet, count)


def _chart(book: Book, say: Texts, sheet: Sheet, count: int) -> None:
    """Chats as columns, the median first response as a line over them."""
    name = sheet.get_name()
    chart, line = book.chart("column"), book.chart("line")
    for of, column, axis in ((chart, 1, False), (line, 3, True)):
        colour = {"color": "#D73027", "width": 2} if axis else {"none": True}
        of.add_series(
            {
                "name": [name, 0, column],
                "categories": [name, 1, 0, count, 0],
                "values": [name, 1, column, count, column],
                "fill": {"color": "#9CC3CF"},
                "line": colour,
                "y2_axis": axis,
            }
        )
    chart.combine(line)
    chart.set_legend({"position": "bottom"})
    chart.set_y_axis({"name": say("head.chats"), "major_gridlines": {"visible": True, "line": {"color": "#DDDDDD"}}})
    line.set_y2_axis({"name": say("head.first_p50"), "num_format": "[h]:mm"})
    chart.set_size({"width": 760, "height": 320})
    sheet.insert_chart(count + 2, 0, chart, {"description": f"{say('head.chats')}, {say('head.first_p50')}"})


def sla(book: Book, say: Texts, data: ReportData) -> None:
    sheet = book.sheet(say("sheet.sla"))
    text, before = say.words.text, [] if data.analysis else ["previous"]
    heads = say.heads(("metric", "text", 20), ("clock", "text", 16), ("target", "duration"))
    heads += [Head(text(f"column.{name}"), "whole") for name in ("met", "breached", "pending")]
    heads += [Head(text(f"column.{name}"), "share") for name in ("rate", "goal", *before)]
    heads += [Head(text("column.open_breached"), "whole")]
    count = book.table(
        sheet,
        heads,
        (
            [
                text(f"metric.{sla.metric}"),
                text(f"clock.{sla.clock}"),
                sla.target_seconds,
                sla.met_count,
                sla.breached_count,
                sla.pending_count,
                sla.rate,
                sla.goal,
                *([sla.previous_rate] if before else []),
                sla.open_breached_count,
            ]
            for sla in data.sla
        ),
    )
    book.bars(sheet, (1, 6), (max(count, 1), 6))


def backlog(book: Book, say: Texts, data: ReportData) -> None:
    sheet = book.sheet(say("sheet.backlog"))
    heads = say.heads(
        ("day", "date"),
        ("open", "whole"),
        ("waiting_pickup", "whole"),
        ("waiting_answer", "whole"),
        ("over_1d", "whole"),
        ("over_7d", "whole"),
    )
    book.table(
        sheet,
        heads,
        (
            [
                night.day,
                night.open_count,
                night.waiting_for_pickup_count,
                night.waiting_for_answer_count,
                night.over_1d_count,
                night.over_7d_count,
            ]
            for night in data.backlog
        ),
    )


def quality(book: Book, say: Texts, data: ReportData) -> None:
    sheet = book.sheet(say("sheet.quality"))
    heads = say.heads(
        ("subject", "text"), ("rule", "text", 44), ("severity", "text"), ("broken", "whole"), ("checked", "whole")
    )
    book.table(
        sheet,
        heads,
        (
            [
                say.words.label("quality_subject", rule.subject),
                rule.label_es if say.words.language == "es" else rule.label_en,
                say.words.label("severity", rule.severity),
                rule.broken_count,
                rule.checked_count,
            ]
            for rule in data.coverage.rules
        ),
    )
