"""The pages, in the order of the menu."""

from collections.abc import Callable
from dataclasses import dataclass

from dagster_project.dashboard.blocks import Section
from dagster_project.dashboard.filters import MEASURES, Measure
from dagster_project.dashboard.pages import (
    agents,
    calls,
    customers,
    heatmap,
    operations,
    overview,
    rooms,
    sla,
    times,
    traffic,
)
from dagster_project.dashboard.shown import Shown
from dagster_project.exports.pictures.heatmap import DIRECTIONS as HEATMAP_DIRECTIONS
from dagster_project.exports.pictures.heatmap import OFFICE_HOURS
from dagster_project.exports.report.data.about import DIRECTIONS


@dataclass(frozen=True)
class Page:
    """A page: its name in links, the key of its title, what it can be filtered by, and what makes it."""

    name: str
    title: str
    make: Callable[[Shown], list[Section]]
    directions: tuple[str, ...] = DIRECTIONS
    hours: tuple[str, ...] = ()
    measures: tuple[Measure, ...] = ()
    has_members: bool = True


PAGES = {
    page.name: page
    for page in (
        Page("overview", "section.summary", overview.page),
        Page("heatmap", "section.heatmap.analysis", heatmap.page, HEATMAP_DIRECTIONS, OFFICE_HOURS, MEASURES),
        Page("response-times", "section.times", times.page),
        Page("sla", "section.sla", sla.page),
        Page("agents", "dashboard.team", agents.page),
        Page("traffic", "dashboard.traffic", traffic.page),
        Page("customers", "section.insights", customers.page),
        Page("escalations", "section.escalations", rooms.escalations, (), has_members=False),
        Page("robots", "section.robots", rooms.robots, (), has_members=False),
        Page("calls", "section.calls", calls.calls, (), has_members=False),
        Page("coverage", "section.coverage", calls.coverage, (), has_members=False),
        Page("staffing", "section.staffing", calls.staffing, (), has_members=False),
        Page("funnel", "section.funnel", calls.funnel, (), has_members=False),
        Page("operations", "dashboard.operations", operations.page, (), has_members=False),
    )
}
