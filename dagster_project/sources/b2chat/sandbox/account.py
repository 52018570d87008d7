"""The parameters of a made-up account."""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from dagster_project.sources.invented_arrivals import ArrivalProcess


@dataclass(frozen=True)
class Account:
    """A Colombian real-estate firm that does not exist. The same parameters make the same account.

    first_day, days: the local days on which chats are created.
    chats_per_day: mean over a week; weekdays and noise move each day's count.
    messages_per_chat: mean over the chats that have messages.
    agents: 5 to 20.
    silent_share: chats that an agent starts and whose messages the export withholds.
    never_closed_share: chats that stay in an open state for good.
    dirty_share: text messages that hold a NUL, a lone surrogate or a 100 kB paste.
    Raises ValueError, and ZoneInfoNotFoundError for an unknown zone.
    """

    first_day: date
    days: int
    chats_per_day: float = 60
    seed: int = 7
    zone: str = "America/Bogota"
    messages_per_chat: float = 20
    agents: int = 12
    silent_share: float = 0.74
    never_closed_share: float = 0.015
    dirty_share: float = 0.0

    def __post_init__(self) -> None:
        ZoneInfo(self.zone)
        if self.days < 1 or self.chats_per_day <= 0 or self.messages_per_chat < 1:
            raise ValueError("days, chats_per_day and messages_per_chat must be positive")
        if not 5 <= self.agents <= 20:
            raise ValueError("agents must be 5 to 20")
        for share in (self.silent_share, self.never_closed_share, self.dirty_share):
            if not 0 <= share <= 1:
                raise ValueError("a share must be between 0 and 1")

    def arrivals(self) -> ArrivalProcess:
        """When its chats are created."""
        return ArrivalProcess(
            seed=self.seed, first_day=self.first_day, days=self.days, per_day=self.chats_per_day, zone=self.zone
        )
