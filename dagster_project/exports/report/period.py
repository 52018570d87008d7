"""The days that a report is about."""

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

PeriodKind = Literal["day", "week", "month", "analysis"]


class NoReport(Exception):
    """The report asked for cannot be made; the text says why."""


@dataclass(frozen=True)
class Period:
    """A local week (from Monday) or month, and the one before it; the days named are all included.

    The days of a customer analysis have none before them: `previous_start` is their own.
    """

    kind: PeriodKind
    start: date
    end: date
    previous_start: date

    @property
    def previous_end(self) -> date:
        """Last day of the period before."""
        return self.start - timedelta(days=1)

    @property
    def day_count(self) -> int:
        """Days of the period."""
        return (self.end - self.start).days + 1

    @classmethod
    def week(cls, monday: date) -> "Period":
        """The week that begins on a Monday.

        Raises:
            NoReport: the day is no Monday.
        """
        if monday.weekday():
            began = monday - timedelta(days=monday.weekday())
            raise NoReport(f"{monday} is no Monday: that week began on {began}")
        return cls("week", monday, monday + timedelta(days=6), monday - timedelta(days=7))

    @classmethod
    def month(cls, day: date) -> "Period":
        """The month in which a day lies."""
        first = day.replace(day=1)
        last = day.replace(day=calendar.monthrange(day.year, day.month)[1])
        return cls("month", first, last, (first - timedelta(days=1)).replace(day=1))
