"""The sheets of a report's workbook that say who did what, and what the chats were about."""

from collections.abc import Iterator, Sequence
from typing import Any

from dagster_project.exports.formats.excel_file import Book, Head, Kind
from dagster_project.exports.report.book.sheets import Texts
from dagster_project.exports.report.data.breakdowns import Member, Share
from dagster_project.exports.report.data.report import ReportData
from dagster_project.exports.report.phrases import classified_by

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


_OF_AGENTS = {"concurrent", "quality", "quality_count"}


_NOT_OF_ANALYSES = {"closed", "replies", "reply_p50", "goal", "open_breached", "others"}


def agents(book: Book, say: Texts, data: ReportData) -> None:
    _breakdown(book, say, "agents", data.agents, data)


def departments(book: Book, say: Texts, data: ReportData) -> None:
    _breakdown(book, say, "departments", data.departments, data)


def channels(book: Book, say: Texts, data: ReportData) -> None:
    _breakdown(book, say, "channels", data.channels, data)


def _breakdown(book: Book, say: Texts, name: str, members: Sequence[Member], data: ReportData) -> None:
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


def _name(say: Texts, name: str, member: Member) -> str:
    if name == "departments" and member.id == "none":
        return say.words.text("department.none")
    return say.words.label("channel", member.id) if name == "channels" else member.name


def insights(book: Book, say: Texts, data: ReportData) -> None:
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


def intents(book: Book, say: Texts, data: ReportData) -> None:
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
