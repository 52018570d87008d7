"""The parameters of a made-up firm with a call widget on its websites."""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from dagster_project.sources.invented_arrivals import ArrivalProcess

_CAMPAIGN_EVERY, _CAMPAIGN_DAYS, _CAMPAIGN_SHARE = 21, 4, 0.7


@dataclass(frozen=True)
class Firm:
    """A Colombian real-estate firm and its builder, which do not exist. The same parameters make the same calls.

    first_day, days: the local days on which visitors come and agents work.
    visits_per_day: mean over a week, without campaigns and robots. About one in six makes a call.
    Raises ValueError, and ZoneInfoNotFoundError for an unknown zone.
    """

    first_day: date
    days: int
    visits_per_day: float = 110
    seed: int = 7
    zone: str = "America/Bogota"

    def __post_init__(self) -> None:
        ZoneInfo(self.zone)
        if self.days < 1 or self.visits_per_day <= 0:
            raise ValueError("days and visits_per_day must be positive")

    def arrivals(self, kind: str) -> ArrivalProcess:
        """When visits of a kind ("visit", "campaign") begin."""
        share = _CAMPAIGN_SHARE if kind == "campaign" else 1
        return ArrivalProcess(
            seed=f"calls:{self.seed}:{kind}",
            first_day=self.first_day,
            days=self.days,
            per_day=self.visits_per_day * share,
            zone=self.zone,
        )

    def has_campaign(self, day: int) -> bool:
        """Whether advertisements bring more visitors on the firm's nth day."""
        return day % _CAMPAIGN_EVERY in range(10, 10 + _CAMPAIGN_DAYS)

    def date(self, day: int) -> date:
        """The firm's nth local day; day 0 is the first."""
        return self.first_day + timedelta(days=day)

    def local(self, day: int, hour: float) -> datetime:
        """The instant of an hour of the firm's nth local day."""
        midnight = datetime.combine(self.date(day), time(), ZoneInfo(self.zone))
        return (midnight + timedelta(hours=hour)).astimezone(UTC)

    def day_of(self, at: datetime) -> int:
        """Which of the firm's local days an instant falls on; negative before the first."""
        return (at.astimezone(ZoneInfo(self.zone)).date() - self.first_day).days

    def random(self, *names: object) -> random.Random:
        """The random numbers of something that has a name."""
        return random.Random(":".join(map(str, ("calls", self.seed, *names))))

    def id(self, *names: object) -> str:
        """The id of something that has a name."""
        return new_id(self.random("id", *names))


def new_id(rng: random.Random) -> str:
    """The next id of some random numbers."""
    return str(UUID(int=rng.getrandbits(128), version=4))


def seconds(count: float) -> timedelta:
    """So many seconds, to the millisecond."""
    return timedelta(milliseconds=round(count * 1000))
