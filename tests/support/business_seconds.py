"""Business time counted second by second, from `specs/metrics.md` and not from the models: a byte for each second."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo


class Span(NamedTuple):
    """Open from one local time to another on one weekday (1 = Monday); an end not after the start is the next day's."""

    weekday: int
    starts: str
    ends: str
    valid_from: date = date.min
    valid_to: date = date.max


class Seconds:
    """The seconds of some days in UTC, each open (1) or closed (0)."""

    def __init__(self, zone: str, first: date, last: date, spans: Iterable[Span], holidays: Iterable[date]) -> None:
        self.origin = datetime.combine(first, time(), UTC)
        self.open = bytearray((last - first).days * 86400)
        closed = set(holidays)
        day = first - timedelta(days=1)
        while day <= last:
            for span in spans:
                if day.isoweekday() == span.weekday and span.valid_from <= day <= span.valid_to and day not in closed:
                    next_day = day + timedelta(days=1) if span.ends <= span.starts else day
                    self._mark(_instant(day, span.starts, zone), _instant(next_day, span.ends, zone))
            day += timedelta(days=1)

    def _mark(self, start: datetime, end: datetime) -> None:
        low, high = max(self.second(start), 0), min(self.second(end), len(self.open))
        if low < high:
            self.open[low:high] = b"\1" * (high - low)

    def second(self, instant: datetime) -> int:
        return int((instant - self.origin).total_seconds())

    def between(self, start: int, end: int) -> int:
        """Open seconds from one to another."""
        return self.open.count(1, start, end)

    def due(self, start: int, target: int) -> int | None:
        """The second at whose beginning so many open ones have passed; None when the days end before."""
        left = target
        while (opens := self.open.find(1, start)) >= 0:
            closes = self.open.find(0, opens)
            closes = len(self.open) if closes < 0 else closes
            if closes - opens >= left:
                return opens + left
            left -= closes - opens
            start = closes
        return None


def _instant(day: date, clock: str, zone: str) -> datetime:
    """A local time as an instant. Where clocks change it may be none, or two: then by the zone's standard time."""
    if clock == "24:00":
        day, clock = day + timedelta(days=1), "00:00"
    local = datetime.combine(day, time.fromisoformat(clock), ZoneInfo(zone))
    return next((one for one in (local, local.replace(fold=1)) if not one.dst()), local).astimezone(UTC)
