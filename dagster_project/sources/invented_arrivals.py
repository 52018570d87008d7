"""When conversations begin: which number falls on which day and second, without making the conversations.

Conversations are numbered 0, 1, 2, … in the order of their creation. The nth of a day's is drawn from the nth
of that many equal slices of the day's curve, so that its second is known from its number alone.
"""

import random
from bisect import bisect_right
from datetime import date, datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

HOUR_WEIGHTS = (1, 1, 0.5, 0.5, 0.5, 2, 8, 30, 75, 100, 105, 95, 55, 50, 85, 95, 92, 75, 48, 30, 20, 12, 6, 3)
WEEKDAY_WEIGHTS = (1.38, 1.35, 1.28, 1.26, 1.18, 0.37, 0.18)  # Monday first; their mean is 1
NOISE = 0.12


class ArrivalProcess:
    """The calendar of a firm's conversations: `per_day` of them in the mean of a week, over `days` local days."""

    def __init__(self, *, seed: int | str, first_day: date, days: int, per_day: float, zone: str) -> None:
        tz = ZoneInfo(zone)
        self._seed = seed
        self._first_day = first_day
        self._days = [first_day + timedelta(days=day) for day in range(days + 1)]
        self._midnights = [int(datetime(day.year, day.month, day.day, tzinfo=tz).timestamp()) for day in self._days]
        counts = (self._count(day, per_day) for day in self._days[:-1])
        self._starts = list(accumulate(counts, initial=0))

    def before_day(self, day: date) -> int:
        """How many are created before the local day `day`."""
        index = (day - self._first_day).days
        return self._starts[min(max(index, 0), len(self._starts) - 1)]

    def until(self, instant: int) -> int:
        """How many are created up to `instant`, in Unix seconds."""
        day = bisect_right(self._midnights, instant) - 1
        if day < 0:
            return 0
        if day >= len(self._days) - 1:
            return self._starts[-1]
        return bisect_right(
            range(self._starts[day + 1]), instant, lo=self._starts[day], key=lambda number: self.draw(number)[1]
        )

    def draw(self, number: int) -> tuple[random.Random, int]:
        """The random numbers of conversation `number`, and the Unix second in which it is created."""
        day = bisect_right(self._starts, number) - 1
        index, count = number - self._starts[day], self._starts[day + 1] - self._starts[day]
        rng = random.Random(f"{self._seed}:{self._days[day]}:{index}")
        midnight, next_midnight = self._midnights[day : day + 2]
        return rng, midnight + int(_part_of_day((index + rng.random()) / count) * (next_midnight - midnight))

    def _count(self, day: date, per_day: float) -> int:
        noise = random.Random(f"{self._seed}:{day}:volume").gauss(1, NOISE)
        return round(per_day * WEEKDAY_WEIGHTS[day.weekday()] * min(max(noise, 0.6), 1.5))


_CURVE = [weight / sum(HOUR_WEIGHTS) for weight in accumulate(HOUR_WEIGHTS, initial=0.0)]


def _part_of_day(share: float) -> float:
    """The part of the day, 0 to below 1, by which `share` of the day's conversations have begun."""
    hour = min(bisect_right(_CURVE, share) - 1, 23)
    within = (share - _CURVE[hour]) / (_CURVE[hour + 1] - _CURVE[hour])
    return min((hour + within) / 24, 0.999999)
