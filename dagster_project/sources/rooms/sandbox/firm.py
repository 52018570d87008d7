"""The parameters of a made-up firm."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dagster_project.sources.invented_arrivals import ArrivalProcess


@dataclass(frozen=True)
class Firm:
    """A Colombian real-estate firm and its builder, which do not exist. The same parameters make the same rooms.

    first_day, days: the local days on which customers open rooms, and the staff talks.
    rooms_per_day: support rooms that customers open, mean over a week.
    messages_per_room: mean of the talk with people; a robot's talk and escalations come on top of it.
    Raises ValueError, and ZoneInfoNotFoundError for an unknown zone.
    """

    first_day: date
    days: int
    rooms_per_day: float = 10
    seed: int = 7
    zone: str = "America/Bogota"
    messages_per_room: float = 18

    def __post_init__(self) -> None:
        ZoneInfo(self.zone)
        if self.days < 1 or self.rooms_per_day <= 0 or self.messages_per_room < 1:
            raise ValueError("days, rooms_per_day and messages_per_room must be positive")

    def arrivals(self) -> ArrivalProcess:
        """When its support rooms are opened."""
        return ArrivalProcess(
            seed=f"rooms:{self.seed}",
            first_day=self.first_day,
            days=self.days,
            per_day=self.rooms_per_day,
            zone=self.zone,
        )

    def local(self, day: int, hour: float) -> datetime:
        """The instant of an hour of the firm's nth local day; day 0 is the first."""
        midnight = datetime.combine(self.first_day + timedelta(days=day), time(), ZoneInfo(self.zone))
        return (midnight + timedelta(hours=hour)).astimezone(UTC)

    def day_of(self, at: datetime) -> int:
        """Which of the firm's local days an instant falls on; negative before the first."""
        return (at.astimezone(ZoneInfo(self.zone)).date() - self.first_day).days
