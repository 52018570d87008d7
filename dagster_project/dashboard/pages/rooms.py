"""What only chat rooms have: escalations across the levels of support, and robots, in the report's words."""

from dagster_project.dashboard.blocks import Section
from dagster_project.dashboard.pages import report_section
from dagster_project.dashboard.shown import Shown
from dagster_project.exports.report.reading import rooms
from dagster_project.exports.report.view import rooms as view


def escalations(shown: Shown) -> list[Section]:
    """Waits at the borders, paths, what is open, and who is in how many rooms at once."""
    found = rooms.rooms(shown.connection, shown.selection.period)
    section = view.escalations(found, shown.say, shown.account.timezone)
    return report_section.page(
        shown, section, title="section.escalations", absent="rooms.empty" if found else "rooms.off"
    )


def robots(shown: Shown) -> list[Section]:
    """What robots contained, how long that lasted, and what their hand-overs waited."""
    found = rooms.rooms(shown.connection, shown.selection.period)
    absent = "rooms.empty.robots" if found else "rooms.off"
    return report_section.page(shown, view.robots(found, shown.say), title="section.robots", absent=absent)


def overdue(shown: Shown) -> list[Section]:
    """The months that are overdue for the archive: nothing where none is."""
    if not rooms.are_there(shown.connection):
        return []
    months = rooms.overdue_months(shown.connection)
    late = view.overdue(months, shown.say, shown.account.timezone)
    return [Section(late["title"], [report_section.table(late, (0, 1, 3, 4))], intro=late["caption"])] if late else []
