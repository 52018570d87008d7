"""A whole report, as plain numbers. `reading` reads it; PDF and workbook show it.

No data is None beside a count of 0. Durations are in seconds, rates and shares from 0 to 1, dates local to the account.
"""

from dataclasses import dataclass

from dagster_project.exports.report.data.about import Analysis, Filter, Freshness, Population
from dagster_project.exports.report.data.account import Backlog, Coverage, TableGrowth
from dagster_project.exports.report.data.breakdowns import Insights, Intent, Member
from dagster_project.exports.report.data.calls import Calls
from dagster_project.exports.report.data.kpis import Kpi
from dagster_project.exports.report.data.rooms import Rooms
from dagster_project.exports.report.data.times import (
    HeatmapCell,
    ResponseTimes,
    Sla,
    Slot,
    TrafficCell,
    TrendPoint,
    Waited,
)
from dagster_project.exports.report.period import Period


@dataclass(frozen=True)
class ReportData:
    """A whole report.

    `agents`, `departments` and `channels` hold all of them for the scope `all`, those of a source for the scope
    `source`, the one member for its own scope, and are empty else. `is_complete` says whether the data goes to the end
    of the period, `is_previous_complete` whether it
    reaches back to the beginning of the period before. A direction has no backlog and no traffic; an analysis, which
    `analysis` is about, has no backlog, no history, no business times and nothing before it. `is_demo` says that the
    data is made up.

    All is about chats that customers began (`incoming`, converted ones too), for the scope `direction` about those of
    it; where it is about others, a text beside it says so. `others` are the chats left out, by how they began. Backlog
    and messages are of all chats. `service` tells what became of the chats: surveys, bot, transfers, reopenings.
    `slot_min_chat_count` is how many answered chats a slot needs to be compared, None where no chat was ever answered;
    `slots` are the slowest of those. `has_default_targets` says that nobody
    has set the targets yet. `growth` is what comes of the warehouse's tables, the soonest first: for all, and a source.
    `rooms` is what chat rooms came to, `calls` what a website's calls did, for all, and a source; None where none of
    them has ever landed.
    """

    period: Period
    filter: Filter
    timezone: str
    freshness: Freshness
    is_complete: bool
    is_previous_complete: bool
    summary: tuple[Kpi, ...]
    heatmap: tuple[HeatmapCell, ...]
    slot_min_chat_count: int | None
    response_times: tuple[ResponseTimes, ...]
    days: tuple[TrendPoint, ...]
    history: tuple[TrendPoint, ...]
    sla: tuple[Sla, ...]
    agents: tuple[Member, ...]
    departments: tuple[Member, ...]
    channels: tuple[Member, ...]
    insights: Insights
    traffic: tuple[TrafficCell, ...]
    backlog: tuple[Backlog, ...]
    coverage: Coverage
    analysis: Analysis | None = None
    is_demo: bool = False
    others: tuple[Population, ...] = ()
    slots: tuple[Slot, ...] = ()
    open_breaches: tuple[Waited, ...] = ()
    open_breached_count: int = 0
    service: tuple[Kpi, ...] = ()
    intents: tuple[Intent, ...] = ()
    has_default_targets: bool = False
    growth: tuple[TableGrowth, ...] = ()
    rooms: Rooms | None = None
    calls: Calls | None = None

    @property
    def direction(self) -> str | None:
        """How the chats began; None for an analysis, which has filters of its own."""
        return None if self.analysis else self.filter.direction

    @property
    def chat_count(self) -> int:
        """Chats created in the period, or analysed: the first KPI."""
        return int(self.summary[0].value or 0)
