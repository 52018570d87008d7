"""What a page reads from: one state of the marts, one week, one choice of filters; the report's readings in parts."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from dagster_project.dashboard.account import Account
from dagster_project.dashboard.filters import Filters
from dagster_project.dashboard.links import Links
from dagster_project.exports.i18n.wording import Wording
from dagster_project.exports.report.data.about import Filter
from dagster_project.exports.report.data.account import Coverage
from dagster_project.exports.report.data.breakdowns import Insights
from dagster_project.exports.report.data.report import ReportData
from dagster_project.exports.report.period import Period
from dagster_project.exports.report.reading.selection import Selection


@dataclass(frozen=True)
class Shown:
    """All that a page is made from."""

    connection: psycopg.Connection
    account: Account
    filters: Filters
    links: Links
    say: Wording

    @property
    def selection(self) -> Selection:
        """The week and the filters, as the report reads them."""
        assert self.filters.week is not None
        known, member = self.account.freshness, self.filters.member
        through = known.data_through and known.data_through.astimezone(ZoneInfo(self.account.timezone)).date()
        return Selection(
            self.connection,
            Period.week(self.filters.week),
            Filter(member.scope, member.id, member.name, self.filters.direction, member.has_times),
            known,
            through,
        )

    def report(self, **parts: Any) -> ReportData:
        """A report of the parts that a page needs; what is not given is empty."""
        selection = self.selection
        empty: dict[str, Any] = dict.fromkeys(
            (
                *("summary", "heatmap", "response_times", "days", "history", "sla", "agents", "departments"),
                *("channels", "traffic", "backlog"),
            ),
            (),
        )
        return ReportData(
            **{
                "period": selection.period,
                "filter": selection.filter,
                "timezone": self.account.timezone,
                "freshness": self.account.freshness,
                "is_complete": selection.is_complete,
                "is_previous_complete": selection.is_previous_complete,
                "slot_min_chat_count": None,
                "insights": _NO_INSIGHTS,
                "coverage": Coverage(0, 0, 0, 0, ()),
                "is_demo": self.account.is_demo,
            }
            | empty
            | parts
        )


_NO_INSIGHTS = Insights(0, 0, 0, 0, None, (), (), (), 0, None)
