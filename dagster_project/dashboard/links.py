"""Where links lead: on a served dashboard to addresses with filters, on a static site to files beside each other."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

from dagster_project.dashboard.account import Member
from dagster_project.dashboard.filters import Filters
from dagster_project.exports.i18n.language import Language

FIRST = "overview"


class Links(Protocol):
    """The links of one page; empty where there is none to follow."""

    @property
    def is_live(self) -> bool:
        """Whether filters can be chosen and cells opened."""

    def page(self, name: str) -> str:
        """Another page with the same filters."""

    def week(self, week: date | None) -> str:
        """The same page of another week."""

    def language(self, language: Language) -> str:
        """The same page in another language."""

    def member(self, name: str, member: Member) -> str:
        """A page about one agent, department or channel."""

    def cell(self, day_of_week: int, hour: int) -> str:
        """The chats of a cell of the heatmap."""


@dataclass(frozen=True)
class ServedLinks:
    """Links of the served dashboard."""

    spoken: Language
    name: str
    filters: Filters
    first_week: date | None
    last_week: date | None
    slot: tuple[int, int] | None = None  # of a drill-down, the cell that it is about
    is_live: bool = True

    def page(self, name: str) -> str:
        return self._address(self.spoken, name, self.filters)

    def week(self, week: date | None) -> str:
        if not (week and self.first_week and self.last_week and self.first_week <= week <= self.last_week):
            return ""
        return self._same_page(self.spoken, self.filters.in_week(week))

    def language(self, language: Language) -> str:
        return self._same_page(language, self.filters)

    def member(self, name: str, member: Member) -> str:
        return self._address(self.spoken, name, replace(self.filters, member=member))

    def cell(self, day_of_week: int, hour: int) -> str:
        return self._address(self.spoken, "heatmap/cell", self.filters, f"day={day_of_week}&hour={hour}")

    def _same_page(self, language: Language, filters: Filters) -> str:
        if self.slot is None:
            return self._address(language, self.name, filters)
        return self._address(language, "heatmap/cell", filters, "day={}&hour={}".format(*self.slot))

    @staticmethod
    def _address(language: Language, name: str, filters: Filters, more: str = "") -> str:
        query = "&".join(part for part in (filters.query(), more) if part)
        return f"/{language}/{name}{'?' if query else ''}{query}"


@dataclass(frozen=True)
class SiteLinks:
    """Links between the files `LANGUAGE/WEEK/PAGE.html` of a static site."""

    spoken: Language
    name: str
    week_shown: date
    weeks: tuple[date, ...]
    languages: tuple[Language, ...]
    is_live: bool = False

    def page(self, name: str) -> str:
        return f"{name}.html"

    def week(self, week: date | None) -> str:
        return f"../{week}/{self.name}.html" if week in self.weeks else ""

    def language(self, language: Language) -> str:
        return f"../../{language}/{self.week_shown}/{self.name}.html" if language in self.languages else ""

    def member(self, name: str, member: Member) -> str:
        return ""

    def cell(self, day_of_week: int, hour: int) -> str:
        return ""
