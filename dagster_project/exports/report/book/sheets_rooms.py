"""The sheets of a report's workbook about chat rooms: escalations, and robots."""

from collections.abc import Iterator
from typing import Any

from dagster_project.exports.formats.excel_file import Book, Head, Kind
from dagster_project.exports.report.book.sheets import Texts
from dagster_project.exports.report.data.report import ReportData

_ESCALATIONS: tuple[tuple[str, Kind, str], ...] = (
    ("created", "whole", "created_count"),
    ("resolved", "whole", "resolved_count"),
    ("cancelled", "whole", "cancelled_count"),
    ("open", "whole", "end_open_count"),
    ("assign", "duration", "p50_assign_seconds"),
    ("start", "duration", "p50_start_seconds"),
    ("waited", "whole", "handover_count"),
    ("handover", "duration", "p50_handover_seconds"),
    ("handover_p90", "duration", "p90_handover_seconds"),
    ("handover_business", "duration", "p50_handover_business_seconds"),
    ("at_level", "duration", "p50_level_seconds"),
    ("opened", "whole", "room_count"),
    ("rate", "share", "escalation_rate"),
    ("first_level", "share", "first_level_resolution_rate"),
)
_ROBOTS: tuple[tuple[str, Kind, str], ...] = (
    ("conversations", "whole", "room_count"),
    ("contained", "share", "containment_rate"),
    ("durable", "share", "durable_rate"),
    ("judged", "whole", "durable_judged_count"),
    ("handed_over", "share", "handover_rate"),
    ("lapsed", "share", "lapse_rate"),
    ("wait", "duration", "p50_handover_wait_seconds"),
    ("wait_p90", "duration", "p90_handover_wait_seconds"),
    ("asked", "whole", "interaction_count"),
    ("success", "share", "success_rate"),
    ("timed_out", "whole", "timed_out_count"),
    ("answer", "decimal", "p50_answer_seconds"),
    ("answer_p90", "decimal", "p90_answer_seconds"),
)


def escalations(book: Book, say: Texts, data: ReportData) -> None:
    """A row for all, and a row a level, agent and priority."""
    assert data.rooms
    found = data.rooms.escalations
    sheet = book.sheet(say("sheet.escalations"))
    heads = [Head(_title(say, "of"), "text", 16), Head(_title(say, "member"), "text", 30)]
    heads += [Head(_title(say, name), kind) for name, kind, _ in _ESCALATIONS]

    def rows() -> Iterator[list[Any]]:
        for one in found:
            name = say.words.label("level", one.scope_id) if one.scope == "level" else one.scope_name
            shown = say.words.text("dashboard.everybody") if one.scope == "all" else name
            yield [_title(say, one.scope), shown, *(getattr(one, column) for _, _, column in _ESCALATIONS)]

    book.table(sheet, heads, rows())


def robots(book: Book, say: Texts, data: ReportData) -> None:
    """A row a robot."""
    assert data.rooms
    sheet = book.sheet(say("sheet.robots"))
    heads = [Head(_title(say, "robot"), "text", 26)]
    heads += [Head(_title(say, name), kind) for name, kind, _ in _ROBOTS]
    book.table(
        sheet,
        heads,
        ([robot.robot_id, *(getattr(robot, column) for _, _, column in _ROBOTS)] for robot in data.rooms.each_robot),
    )


def _title(say: Texts, name: str) -> str:
    return say.words.text(f"rooms.sheet.{name}")
