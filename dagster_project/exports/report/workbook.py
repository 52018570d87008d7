"""A report as an Excel workbook: a sheet a topic, `Resumen` first, and `Léame`, which says what one looks at."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from dagster_project.exports.formats.excel_file import Book, Head, Kind, Sheet
from dagster_project.exports.formats.format import WriteResult
from dagster_project.exports.i18n.language import Language
from dagster_project.exports.i18n.wording import Wording
from dagster_project.exports.report.data import BUCKETS, Kpi, Member, ReportData, Share, TrendPoint, Waited
from dagster_project.exports.report.insights import slot
from dagster_project.exports.report.view_model import asked_for, classified_by, kpi_name, not_categorized, population
from dagster_project.exports.week import MONDAY_FIRST

_MEMBERS: tuple[tuple[str, Kind, str], ...] = (
    ("chats", "whole", "chat_count"),
    ("closed", "whole", "closed_count"),
    ("messages", "whole", "message_count"),
    ("responses", "whole", "first_response_count"),
    ("first_p50", "duration", "first_response_p50_seconds"),
    ("first_p90", "duration", "first_response_p90_seconds"),
    ("replies", "whole", "reply_count"),
    ("reply_p50", "duration", "reply_p50_seconds"),
    ("resolved", "whole", "resolution_count"),
    ("resolution_p50", "duration", "resolution_p50_seconds"),
    ("judged", "whole", "sla_judged_count"),
    ("sla", "share", "sla_rate"),
    ("goal", "share", "sla_goal"),
    ("open_breached", "whole", "open_breached_count"),
    ("others", "whole", "other_chat_count"),
    ("concurrent", "points", "mean_concurrent_chats"),
    ("quality", "points", "mean_quality"),
    ("quality_count", "whole", "quality_count"),
)
OF_ALL_CHATS = {"messages_in", "messages_out", "backlog_open"}
_OF_AGENTS = {"concurrent", "quality", "quality_count"}
_NOT_OF_ANALYSES = {"closed", "replies", "reply_p50", "goal", "open_breached", "others"}
DEFINITIONS = (
    "incoming",
    "n",
    "pickup",
    "first_response",
    "reply",
    "handling",
    "resolution",
    "percentiles",
    "clock",
    "sla",
    "backlog",
    "change",
    "no_data",
)


def write(out: BinaryIO, data: ReportData, language: Language, made_at: datetime) -> WriteResult:
    """Write the workbook of a report.

    Args:
        out: the file.
        data: the report.
        language: of texts; Excel itself shows numbers and dates as its user's settings have them.
        made_at: the time that the workbook names as its own.
    """
    say = _Say(Wording(language), 0 if language == "es" else 1)
    title = say.words.title(say.words.text(f"title.{data.period.kind}"), is_demo=data.is_demo)
    demo = say.words.text("demo") if data.is_demo else ""
    book = Book(out, title=f"{title} {data.period.start}", zone=data.timezone, made_at=made_at, demo=demo)
    first, *others = _topics(data)
    _SHEETS[first](book, say, data)
    readme = book.sheet(say("sheet.readme"))
    for topic in others:
        _SHEETS[topic](book, say, data)
    write_readme(book, readme, say("readme.topic"), say("readme.value"), _about(say, data, book, title, made_at))
    book.close()
    return WriteResult(
        book.rows,
        notes={
            "cells_cut": book.cut_cells,
            "data_through": data.freshness.data_through,
            "classified_by": classified_by(data, say.words),
        },
    )


def write_readme(book: Book, sheet: Sheet, topic: str, detail: str, lines: Sequence[tuple[str, str]]) -> None:
    """The sheet that says what the others are: a topic and its text a row."""
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 104)
    book.header(sheet, 0, [topic, detail])
    sheet.freeze_panes(1, 0)
    for row, (name, text) in enumerate(lines, start=1):
        sheet.set_row(row, 14 * max(1, -(-len(text) // 96), -(-len(name) // 30)))  # no program but Excel fits it itself
        book.cell(sheet, row, 0, name, bold=True, text_wrap=True)
        book.cell(sheet, row, 1, text, text_wrap=True)


@dataclass(frozen=True)
class _Say:
    """The texts of a language."""

    words: Wording
    place: int

    def __call__(self, key: str, **parts: object) -> str:
        return self.words.text(key, **parts)

    def heads(self, *columns: tuple[str, Kind] | tuple[str, Kind, int]) -> list[Head]:
        """Heads by the keys of their texts."""
        return [Head(self(f"head.{key}"), kind, *width) for key, kind, *width in columns]


def _summary(book: Book, say: _Say, data: ReportData) -> None:
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


def _actions(book: Book, say: _Say, data: ReportData) -> None:
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


def _verdict(say: _Say, kpi: Kpi) -> str | None:
    return say.words.text(f"verdict.{kpi.verdict}") if kpi.verdict in ("better", "worse") else None


def _heatmap(book: Book, say: _Say, data: ReportData) -> None:
    sheet = book.sheet(say("sheet.heatmap"))
    cells = {(cell.day_of_week, cell.hour): cell for cell in data.heatmap}
    medians = {place: cell.p50_seconds for place, cell in cells.items()}
    compared = {place: value if cells[place].has_enough_chats else None for place, value in medians.items()}
    counts = {place: cell.chat_count or None for place, cell in cells.items()}
    grids: list[tuple[str, dict[tuple[int, int], Any], Kind]] = [("corner.p50", medians, "duration")]
    if not data.analysis:
        grids = [("corner.compared", compared, "duration"), ("corner.all", medians, "duration")]
    _grids(book, say, sheet, [*grids, ("corner.chats", counts, "whole")], enough=data.slot_min_chat_count)


def _traffic(book: Book, say: _Say, data: ReportData) -> None:
    sheet = book.sheet(say("sheet.traffic"))
    chats = {(cell.day_of_week, cell.hour): cell.chat_count or None for cell in data.traffic}
    messages = {(cell.day_of_week, cell.hour): cell.message_count or None for cell in data.traffic}
    grids: list[tuple[str, dict[tuple[int, int], Any], Kind]] = [("corner.created", chats, "whole")]
    has_messages = any(cell.message_count is not None for cell in data.traffic)
    _grids(book, say, sheet, [*grids, ("corner.messages", messages, "whole")] if has_messages else grids)


def _grids(
    book: Book, say: _Say, sheet: Sheet, grids: Sequence[tuple[str, dict[tuple[int, int], Any], Kind]], **parts: object
) -> None:
    """Grids of 7 days × 24 hours below each other, each with colours of its own."""
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 24, 6.5)
    sheet.freeze_panes(1, 1)
    for place, (corner, values, kind) in enumerate(grids):
        top = place * 10
        book.header(sheet, top, [say(corner, **parts), *(f"{hour:02}" for hour in range(24))])
        for row, day in enumerate(MONDAY_FIRST, start=top + 1):
            sheet.set_row(row, 20)
            book.cell(sheet, row, 0, say.words.weekday(day, long=True), bold=True)
            for hour in range(24):
                book.cell(sheet, row, hour + 1, values.get((day, hour)), kind, align="center")
        book.colour_scale(sheet, (top + 1, 1), (top + 7, 24))
        book.rows += 7


def _times(book: Book, say: _Say, data: ReportData) -> None:
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


def _days(book: Book, say: _Say, data: ReportData) -> None:
    _trend(book, say, "days", "day", data.days)


def _history(book: Book, say: _Say, data: ReportData) -> None:
    _trend(book, say, "history", "from", data.history)


def _trend(book: Book, say: _Say, name: str, first: str, points: Sequence[TrendPoint]) -> None:
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


def _chart(book: Book, say: _Say, sheet: Sheet, count: int) -> None:
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


def _sla(book: Book, say: _Say, data: ReportData) -> None:
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


def _agents(book: Book, say: _Say, data: ReportData) -> None:
    _members(book, say, "agents", data.agents, data)


def _departments(book: Book, say: _Say, data: ReportData) -> None:
    _members(book, say, "departments", data.departments, data)


def _channels(book: Book, say: _Say, data: ReportData) -> None:
    _members(book, say, "channels", data.channels, data)


def _members(book: Book, say: _Say, name: str, members: Sequence[Member], data: ReportData) -> None:
    """Agents, departments or channels, with the columns that are known of them."""
    sheet = book.sheet(say(f"sheet.{name}"))
    columns = [column for column in _MEMBERS if column[0] in _known_of(name, data)]
    heads = [Head(say.words.text(f"column.{name[:-1]}"), "text", 30)]
    heads += [Head(say(f"head.{key}"), kind) for key, kind, _ in columns]
    heads += say.heads(("classified", "text", 24)) if name == "agents" else []
    heads += say.heads(("id", "text", 24))
    shown = classified_by(data, say.words)

    def rows() -> Iterator[list[Any]]:
        for member in members:
            row = [_name(say, name, member), *(getattr(member, attribute) for _, _, attribute in columns)]
            judged = [shown if member.quality_count else None] if name == "agents" else []
            yield [*row, *judged, member.id]

    count = book.table(sheet, heads, rows())
    places = [place for place, column in enumerate(columns, start=1) if column[0] == "sla"]
    for place in places:
        book.bars(sheet, (1, place), (max(count, 1), place))


def _known_of(name: str, data: ReportData) -> set[str]:
    """The columns of members that hold something: an analysis knows less, and of channels nothing but their chats."""
    known = {key for key, _, _ in _MEMBERS} - (set() if name == "agents" else _OF_AGENTS)
    if data.analysis:
        known = {"chats"} if name == "channels" else known - _NOT_OF_ANALYSES
    return known


def _name(say: _Say, name: str, member: Member) -> str:
    if name == "departments" and member.id == "none":
        return say.words.text("department.none")
    return say.words.label("provider", member.id) if name == "channels" else member.name


def _insights(book: Book, say: _Say, data: ReportData) -> None:
    sheet = book.sheet(say("sheet.insights"))
    heads = say.heads(
        ("group", "text", 24), ("label", "text", 30), ("count", "whole"), ("share", "share"), ("classified", "text", 30)
    )
    shown = classified_by(data, say.words)

    def rows() -> Iterator[list[Any]]:
        groups: tuple[tuple[str, str, tuple[Share, ...]], ...] = (
            ("intents", "intent", data.insights.intents),
            ("journeys", "journey", data.insights.journeys),
            ("sentiments", "sentiment", data.insights.sentiments),
        )
        for title, group, shares in groups[1:] if data.intents else groups:
            for share in shares:
                label = say.words.label(group, share.label)
                yield [say.words.text(f"insights.{title}"), label, share.count, share.share, shown]

    count = book.table(sheet, heads, rows())
    book.bars(sheet, (1, 3), (max(count, 1), 3))


def _intents(book: Book, say: _Say, data: ReportData) -> None:
    sheet = book.sheet(say("sheet.intents"))
    heads = [
        Head(say.words.text("column.intent"), "text", 30),
        *say.heads(
            ("count_chats", "whole"),
            ("share", "share"),
            ("previous_chats", "whole"),
            ("previous_share", "share"),
            ("share_delta", "change_in_points"),
            ("responses", "whole"),
            ("first_p50", "duration"),
            ("classified", "text", 30),
        ),
    ]
    shown = classified_by(data, say.words)
    book.table(
        sheet,
        heads,
        (
            [
                say.words.label("intent", one.label),
                one.count,
                one.share,
                one.previous_count,
                one.previous_share,
                None if one.previous_share is None else (one.share - one.previous_share) * 100,
                one.first_response_count,
                one.first_response_p50_seconds,
                shown,
            ]
            for one in data.intents
        ),
    )


def _backlog(book: Book, say: _Say, data: ReportData) -> None:
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


def _quality(book: Book, say: _Say, data: ReportData) -> None:
    sheet = book.sheet(say("sheet.quality"))
    heads = say.heads(
        ("subject", "text"), ("rule", "text", 44), ("severity", "text"), ("broken", "whole"), ("checked", "whole")
    )
    book.table(
        sheet,
        heads,
        (
            [
                rule.subject,
                rule.label_es if say.words.language == "es" else rule.label_en,
                say.words.label("severity", rule.severity),
                rule.broken_count,
                rule.checked_count,
            ]
            for rule in data.coverage.rules
        ),
    )


def _about(say: _Say, data: ReportData, book: Book, title: str, made_at: datetime) -> list[tuple[str, str]]:
    """What `Léame` says."""
    words = say.words
    period, insights = data.period, data.insights
    lines = [
        (title, words.text("subtitle")),
        *([(words.text("demo").capitalize(), words.text("demo.value"))] if data.is_demo else []),
        (words.text("period"), f"{words.day(period.start)} – {words.day(period.end)}"),
        *((name, text) for name, text in asked_for(data, words)),
        (words.text("data_through"), words.instant(data.freshness.data_through, data.timezone)),
        (words.text("generated_at"), words.instant(made_at, data.timezone)),
        (words.text("timezone"), data.timezone),
        *([(words.text("population"), population(data, words))] if data.direction else []),
        *([(words.text("notes.targets"), words.text("notes.targets.default"))] if data.has_default_targets else []),
    ]
    if not data.is_complete and not data.analysis:
        lines.append(("", words.text("badge.partial")))
    if not data.is_previous_complete:
        lines.append(("", words.text("badge.previous_partial")))
    categorized = say(
        "readme.classified.value",
        badge=classified_by(data, words).capitalize(),
        chats=words.number(insights.chat_count),
        categorized=words.number(insights.categorized_count),
    )
    categorized += not_categorized(insights, words)
    if insights.needs_review_count is not None:
        categorized += " " + say("readme.review", review=words.number(insights.needs_review_count))
    lines += [
        (say("readme.classified"), categorized),
        (say("readme.units"), say("readme.units.value")),
        (say("readme.formulas"), say("readme.formulas.value")),
        (say("readme.cut"), say("readme.cut.value", count=book.cut_cells)),
        (
            words.text("notes.days"),
            words.text("notes.days.value", read=data.coverage.days_read_whole, days=data.coverage.day_count),
        ),
        (words.text("notes.quarantine"), words.number(data.coverage.quarantined_count)),
        (say("readme.sheets"), ""),
    ]
    lines += [(say(f"sheet.{topic}"), say(f"about.{topic}")) for topic in _topics(data)]
    if data.filter.scope != "all":
        lines.append(("", words.text(f"notes.left_out.{data.filter.scope}")))
    lines.append((words.text("notes.definitions"), ""))
    for name in DEFINITIONS:
        term, _, text = words.text(f"definition.{name}").partition("|")
        lines.append((term, text))
    return lines


_SHEETS: dict[str, Callable[[Book, _Say, ReportData], None]] = {
    "summary": _summary,
    "actions": _actions,
    "heatmap": _heatmap,
    "times": _times,
    "days": _days,
    "history": _history,
    "sla": _sla,
    "agents": _agents,
    "departments": _departments,
    "channels": _channels,
    "intents": _intents,
    "insights": _insights,
    "traffic": _traffic,
    "backlog": _backlog,
    "quality": _quality,
}


def _topics(data: ReportData) -> list[str]:
    """The sheets of a report: all but those that its filter, or an analysis, leaves nothing of."""
    scope = data.filter.scope
    left_out = {"history", "backlog", "actions"} if data.analysis else set()
    left_out |= set() if data.intents else {"intents"}
    left_out |= set() if scope in ("all", "agent") else {"agents"}
    left_out |= set() if scope in ("all", "department") else {"departments"}
    left_out |= set() if scope in ("all", "provider") else {"channels"}
    left_out |= {"backlog"} if scope == "direction" else set()
    return [topic for topic in _SHEETS if topic not in left_out]
