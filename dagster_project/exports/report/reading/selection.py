"""Which rows of the marts a report is about: one period and one filter."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg

from dagster_project.exports.report.data.about import Filter, Freshness
from dagster_project.exports.report.period import Period


@dataclass(frozen=True)
class Selection:
    """The marts of a report, by the values of their key columns.

    `through` is the local day up to which the data goes.
    """

    connection: psycopg.Connection
    period: Period
    filter: Filter
    known: Freshness
    through: date | None

    @property
    def direction(self) -> str:
        """How the chats began: as the filter says; else, the waits of customers are shown."""
        return self.filter.direction

    @property
    def scope(self) -> dict[str, Any]:
        """Rows of the filter; a direction is one way in which all chats of the account began."""
        if self.filter.scope == "direction":
            return {"scope": "all", "scope_id": "all"}
        return {"scope": self.filter.scope, "scope_id": self.filter.scope_id}

    @property
    def now(self) -> dict[str, Any]:
        """Rows of the marts by direction, of the period."""
        return {
            "period": self.period.kind,
            "period_start": self.period.start,
            **self.scope,
            "direction": self.direction,
        }

    @property
    def starts(self) -> tuple[date, date]:
        """The first days of the period and of the one before."""
        return self.period.start, self.period.previous_start

    @property
    def both(self) -> dict[str, Any]:
        """The same rows, and those of the period before."""
        return self.now | {"period_start": list(self.starts)}

    @property
    def is_complete(self) -> bool:
        """Whether the data goes to the end of the period."""
        return self.through is not None and self.through > self.period.end

    @property
    def is_previous_complete(self) -> bool:
        """Whether the data reaches back to the beginning of the period before."""
        return self.known.first_date is not None and self.known.first_date <= self.period.previous_start
