"""What a page is asked to show, as it stands in a link: `?week=2026-11-16&who=agent:ana&direction=incoming`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal, TypeVar
from urllib.parse import urlencode

from dagster_project.dashboard.account import ALL, Account, Member
from dagster_project.dashboard.errors import NoSuchPage
from dagster_project.exports.pictures.heatmap import DEFAULT_DIRECTION, OFFICE_HOURS
from dagster_project.exports.pictures.heatmap import DIRECTIONS as HEATMAP_DIRECTIONS

Measure = Literal["mean", "p50", "p90", "chats"]
MEASURES: tuple[Measure, ...] = ("mean", "p50", "p90", "chats")
DEFAULT_MEASURE: Measure = "mean"  # whose bands the mart defines
Value = TypeVar("Value", bound=str)
_MAX_LENGTH = 500  # characters of a value in a link


@dataclass(frozen=True)
class Filters:
    """The week (its Monday), whose chats, how they began, and of the heatmap the hours and the measure.

    The heatmap knows more directions than the other pages; `known_to` gives what a page can show.
    """

    week: date | None
    member: Member = ALL
    direction: str = DEFAULT_DIRECTION
    office_hours: str = "all"
    measure: Measure = DEFAULT_MEASURE
    shown_by_default: Member = ALL

    def known_to(self, directions: tuple[str, ...], hours: tuple[str, ...], measures: tuple[Measure, ...]) -> "Filters":
        """The same for a page that knows these; what it does not know is the default there."""
        return replace(
            self,
            direction=self.direction if self.direction in directions else DEFAULT_DIRECTION,
            office_hours=self.office_hours if self.office_hours in hours else "all",
            measure=self.measure if self.measure in measures else DEFAULT_MEASURE,
        )

    def in_week(self, week: date) -> "Filters":
        """The same of another week."""
        return replace(self, week=week)

    @property
    def previous(self) -> date | None:
        """The Monday before."""
        return self.week and self.week - timedelta(days=7)

    @property
    def following(self) -> date | None:
        """The Monday after."""
        return self.week and self.week + timedelta(days=7)

    def query(self) -> str:
        """These filters as a link has them; what is the default is left out."""
        values = {
            "week": self.week.isoformat() if self.week else "",
            "who": "" if self.member == self.shown_by_default else self.member.key,
            "direction": "" if self.direction == DEFAULT_DIRECTION else self.direction,
            "hours": "" if self.office_hours == "all" else self.office_hours,
            "measure": "" if self.measure == DEFAULT_MEASURE else self.measure,
        }
        return urlencode({name: value for name, value in values.items() if value})


def read(query: Mapping[str, str], account: Account) -> Filters:
    """The filters of a link; by default the last full week of the chats that customers began: of all, or with
    several sources of the first.

    Raises:
        NoSuchPage: a value is none that there is; the text names the field, and nothing that was sent.
    """
    if any(len(value) > _MAX_LENGTH for value in query.values()):
        raise NoSuchPage("filters: too long")
    member = account.member(query.get("who") or account.shown_by_default.key)
    if member is None:
        raise NoSuchPage("who: there is no such agent, department, channel or source")
    return Filters(
        _week(query.get("week") or "", account),
        member,
        _one_of(query, "direction", HEATMAP_DIRECTIONS, DEFAULT_DIRECTION),
        _one_of(query, "hours", OFFICE_HOURS, "all"),
        _one_of(query, "measure", MEASURES, DEFAULT_MEASURE),
        account.shown_by_default,
    )


def _week(text: str, account: Account) -> date | None:
    """The Monday of the day's week; days before the first chat and after the last week are in these."""
    if not text:
        return account.last_full_week
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise NoSuchPage("week: not a date such as 2026-01-31") from None
    if account.first_week is None or account.last_week is None:
        return None
    return max(account.first_week, min(account.last_week, day - timedelta(days=day.weekday())))


def _one_of(query: Mapping[str, str], name: str, known: tuple[Value, ...], default: Value) -> Value:
    value = query.get(name) or default
    found = next((one for one in known if one == value), None)
    if found is None:
        raise NoSuchPage(f"{name}: one of {', '.join(known)}")
    return found
