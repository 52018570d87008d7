"""Numbers, durations, dates and changes as people read them, in Spanish or English."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from dagster_project.exports.i18n.catalogue import texts
from dagster_project.exports.i18n.language import Language, place_of
from dagster_project.exports.report.data.kpis import Kpi


class Wording:
    """How one language says things; what is None is "no data"."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._place = place_of(language)

    def text(self, key: str, **parts: object) -> str:
        """The text of a key of the catalogue, with its `{parts}` filled in.

        Raises:
            KeyError: no such text.
        """
        text = texts()[key][self._place]
        return text.format(**parts) if parts else text

    def title(self, title: str, *, is_demo: bool) -> str:
        """A title, which says of made-up data that it is made up."""
        return self.text("demo.title", title=title) if is_demo else title

    def label(self, group: str, member: str | None) -> str:
        """The text `group.member`; the member itself where it has none, as a new channel has."""
        key = f"{group}.{member or 'none'}"
        return self.text(key) if key in texts() else str(member)

    def number(self, value: float | None, decimals: int = 0) -> str:
        """1.234,5 in Spanish, 1,234.5 in English."""
        if value is None:
            return self.text("no_data")
        text = f"{value:,.{decimals}f}"
        if float(text.replace(",", "")) == 0:
            text = text.lstrip("-")
        return text.translate(str.maketrans(",.", ".,")) if self.language == "es" else text

    def kind(self, direction: str | None) -> str:
        """How chats of a direction are called: entrantes, incoming."""
        return self.label("direction", direction)

    def chats(self, count: int) -> str:
        """1 conversación, 1.234 conversaciones."""
        return self.text("chat" if count == 1 else "chats", count=self.number(count))

    def percent(self, share: float | None, decimals: int = 1) -> str:
        """A share from 0 to 1 in percent."""
        if share is None:
            return self.text("no_data")
        space = "\u00a0" if self.language == "es" else ""
        return f"{self.number(share * 100, decimals)}{space}%"

    def duration(self, seconds: float | None) -> str:
        """The two units that matter: 45 s, 1 min 31 s, 40 min, 2 h 5 min, 3 d 4 h."""
        if seconds is None:
            return self.text("no_data")
        whole = round(seconds)
        if whole < 60:
            return f"{whole}\u00a0s"
        if whole < 600:
            return _two_units(*divmod(whole, 60), "min", "s")
        minutes = round(seconds / 60)
        if minutes < 60:
            return f"{minutes}\u00a0min"
        if minutes < 24 * 60:
            return _two_units(*divmod(minutes, 60), "h", "min")
        return _two_units(*divmod(round(seconds / 3600), 24), "d", "h")

    def day(self, day: date) -> str:
        """lun 10 nov 2026."""
        return f"{self.weekday(day.isoweekday() % 7)} {self.short_day(day)} {day.year}"

    def short_day(self, day: date) -> str:
        """10 nov."""
        return f"{day.day} {self.text(f'month_short.{day.month}')}"

    def month(self, day: date) -> str:
        """noviembre de 2026."""
        name = self.text(f"month.{day.month}")
        return f"{name} de {day.year}" if self.language == "es" else f"{name} {day.year}"

    def short_month(self, day: date) -> str:
        """nov 26."""
        return f"{self.text(f'month_short.{day.month}')} {day.year % 100:02}"

    def weekday(self, day_of_week: int, *, long: bool = False) -> str:
        """The name of a weekday, 0 = Sunday."""
        return self.text(f"weekday{'' if long else '_short'}.{day_of_week}")

    def instant(self, moment: datetime | None, timezone: str) -> str:
        """dom 22 nov 2026, 02:37, in a zone."""
        if moment is None:
            return self.text("no_data")
        local = moment.astimezone(ZoneInfo(timezone))
        return f"{self.day(local.date())}, {local:%H:%M}"

    def short_instant(self, moment: datetime | None, timezone: str) -> str:
        """mar 17 nov, 09:32, in a zone."""
        if moment is None:
            return self.text("no_data")
        local = moment.astimezone(ZoneInfo(timezone))
        return f"{self.weekday(local.isoweekday() % 7)} {self.short_day(local.date())}, {local:%H:%M}"

    def gap(self, share: float | None, other: float | None) -> str:
        """How many points a share lies above (+) or below (−) another: −78,3 pts."""
        if share is None or other is None:
            return "–"
        points = round((share - other) * 100, 1)
        sign = "+" if points > 0 else "−" if points < 0 else ""
        return f"{sign}{self.number(abs(points), 1)}\u00a0pts"

    def value(self, value: float | None, unit: str) -> str:
        """A KPI's value by its unit."""
        if unit == "seconds":
            return self.duration(value)
        if unit in ("points", "agents"):
            return self.number(value, 1)
        return self.percent(value) if unit == "share" else self.number(value)

    def change(self, kpi: Kpi) -> str:
        """The change against the period before and what it means, not told by colour: ▲ 12,3 % · peor."""
        if kpi.change is None:
            return ""
        amount = (
            f"{self.number(abs(kpi.change) * 100, 1)} {self.text('points')}"
            if kpi.unit == "share"
            else self.percent(abs(kpi.change))
        )
        arrow = "▲" if kpi.change > 0 else "▼" if kpi.change < 0 else "="
        verdict = f" · {self.text(f'verdict.{kpi.verdict}')}" if kpi.verdict in ("better", "worse") else ""
        return f"{arrow} {amount}{verdict}"


def _two_units(large: int, small: int, large_unit: str, small_unit: str) -> str:
    text = f"{large}\u00a0{large_unit}"
    return f"{text} {small}\u00a0{small_unit}" if small else text
