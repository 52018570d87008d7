"""A report as an Excel workbook: a sheet a topic, `Resumen` first, and `Léame`, which says what one looks at."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import BinaryIO

from dagster_project.exports.formats.excel_file import Book, Sheet
from dagster_project.exports.formats.format import WriteResult
from dagster_project.exports.i18n.language import Language
from dagster_project.exports.i18n.wording import Wording
from dagster_project.exports.report.book import sheets, sheets_breakdowns, sheets_calls, sheets_rooms
from dagster_project.exports.report.book.sheets import Texts
from dagster_project.exports.report.data.report import ReportData
from dagster_project.exports.report.phrases import asked_for, classified_by, not_categorized, population

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
    say = Texts(Wording(language))
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


def _about(say: Texts, data: ReportData, book: Book, title: str, made_at: datetime) -> list[tuple[str, str]]:
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


_SHEETS: dict[str, Callable[[Book, Texts, ReportData], None]] = {
    "summary": sheets.summary,
    "actions": sheets.actions,
    "heatmap": sheets.heatmap,
    "times": sheets.times,
    "days": sheets.days,
    "history": sheets.history,
    "sla": sheets.sla,
    "agents": sheets_breakdowns.agents,
    "departments": sheets_breakdowns.departments,
    "channels": sheets_breakdowns.channels,
    "intents": sheets_breakdowns.intents,
    "insights": sheets_breakdowns.insights,
    "traffic": sheets.traffic,
    "backlog": sheets.backlog,
    "escalations": sheets_rooms.escalations,
    "robots": sheets_rooms.robots,
    "calls": sheets_calls.calls,
    "coverage": sheets_calls.coverage,
    "covered": sheets_calls.covered,
    "staffing": sheets_calls.staffing,
    "call_agents": sheets_calls.agents,
    "funnel": sheets_calls.funnel,
    "quality": sheets.quality,
}


def _topics(data: ReportData) -> list[str]:
    """The sheets of a report: all but those that its filter, or an analysis, leaves nothing of."""
    scope = data.filter.scope
    left_out = {"history", "backlog", "actions"} if data.analysis else set()
    left_out |= set() if data.intents else {"intents"}
    left_out |= set() if scope in ("all", "source", "agent") else {"agents"}
    left_out |= set() if scope in ("all", "source", "department") else {"departments"}
    left_out |= set() if scope in ("all", "source", "channel") else {"channels"}
    left_out |= {"backlog"} if scope == "direction" else set()
    left_out |= set() if data.rooms and data.rooms.escalations else {"escalations"}
    left_out |= set() if data.rooms and data.rooms.each_robot else {"robots"}
    left_out |= set() if data.calls and data.calls.all_calls else {"calls"}
    left_out |= set() if data.calls and data.calls.all_covered else {"coverage", "covered"}
    left_out |= set() if data.calls and data.calls.hours else {"staffing"}
    left_out |= set() if data.calls and data.calls.each_agent else {"call_agents"}
    left_out |= set() if data.calls and data.calls.all_visits else {"funnel"}
    return [topic for topic in _SHEETS if topic not in left_out]
