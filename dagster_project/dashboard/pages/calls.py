"""What only calls of a website have: their outcomes, coverage, staffing, and the funnel, in the report's words."""

from collections.abc import Callable

from dagster_project.dashboard.blocks import Section
from dagster_project.dashboard.pages import report_section
from dagster_project.dashboard.shown import Shown
from dagster_project.exports.i18n.wording import Wording
from dagster_project.exports.report.data.calls import Calls
from dagster_project.exports.report.reading import calls as reading
from dagster_project.exports.report.view import calls as view
from dagster_project.exports.report.view import coverage as view_of_coverage
from dagster_project.exports.report.view.charts import ViewModel


def calls(shown: Shown) -> list[Section]:
    """How many were answered, how soon, and what became of the others."""
    return _page(shown, "calls", view.calls)


def funnel(shown: Shown) -> list[Section]:
    """How far visits came, and where they were lost."""
    return _page(shown, "funnel", view.funnel)


def coverage(shown: Shown) -> list[Section]:
    """When somebody was there, and who came when nobody was."""
    return _page(shown, "coverage", view_of_coverage.coverage)


def staffing(shown: Shown) -> list[Section]:
    """How busy agents were, and which hours lack some."""
    return _page(shown, "staffing", view_of_coverage.staffing)


def _page(shown: Shown, part: reading.Part, tell: Callable[[Calls | None, Wording], ViewModel | None]) -> list[Section]:
    found = reading.calls(shown.connection, shown.selection.period, [part])
    absent = f"calls.empty.{part}" if found else "calls.off"
    return report_section.page(shown, tell(found, shown.say), title=f"section.{part}", absent=absent)
