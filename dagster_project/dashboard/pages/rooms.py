"""What only chat rooms have: escalations across the levels of support, and robots, in the report's words."""

from collections.abc import Iterable, Sequence
from typing import Any

from dagster_project.dashboard.blocks import Card, Cards, Cell, Section, Table, Text
from dagster_project.dashboard.shown import Shown
from dagster_project.exports.report.reading import rooms
from dagster_project.exports.report.view import rooms as told_of
from dagster_project.exports.report.view.charts import ViewModel


def escalations(shown: Shown) -> list[Section]:
    """Waits at the borders, paths, what is open, and who is in how many rooms at once."""
    found = rooms.rooms(shown.connection, shown.selection.period)
    told = told_of.escalations(found, shown.say, shown.account.timezone)
    return _sections(shown, told, "section.escalations", is_read=found is not None, empty="rooms.empty")


def robots(shown: Shown) -> list[Section]:
    """What robots contained, how long that lasted, and what their hand-overs waited."""
    found = rooms.rooms(shown.connection, shown.selection.period)
    told = told_of.robots(found, shown.say)
    return _sections(shown, told, "section.robots", is_read=found is not None, empty="rooms.empty.robots")


def overdue(shown: Shown) -> list[Section]:
    """The months that are overdue for the archive: nothing where none is."""
    if not rooms.are_there(shown.connection):
        return []
    months = rooms.overdue_months(shown.connection)
    told = told_of.overdue(months, shown.say, shown.account.timezone)
    return [Section(told["title"], [_table(told, texts=(0, 1, 3, 4))], intro=told["caption"])] if told else []


def _sections(shown: Shown, told: ViewModel | None, title: str, *, is_read: bool, empty: str) -> list[Section]:
    say = shown.say
    if not told:
        return [Section(say.text(title), [Text([say.text(empty if is_read else "rooms.off")])])]
    findings = told.get("findings") or []
    first = Section(told["title"], [Cards(list(_cards(told["tiles"])))], intro=told["caption"])
    sections = [first, *([Section(say.text("findings"), [Text(findings)])] if findings else [])]
    for table in told["tables"]:
        sections.append(
            Section(table["title"], [_table(table, texts=tuple(range(table["texts"])))], intro=table["caption"])
        )
    return sections


def _cards(tiles: Sequence[ViewModel]) -> Iterable[Card]:
    for tile in tiles:
        yield Card(
            tile["label"],
            "–" if tile["empty"] else tile["value"],
            tile["made_of"],
            tile["empty"],
            tile["change"],
            tile["verdict"],
            tile["before"],
        )


def _table(told: dict[str, Any], texts: tuple[int, ...]) -> Table:
    rows = [[Cell(text) for text in row] for row in told["rows"]]
    return Table(told["title"], told["columns"], rows, texts=texts, is_caption_shown=False)
