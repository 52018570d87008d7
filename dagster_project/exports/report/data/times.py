"""Of a report: how long customers waited, when they came, and what became of the targets."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Clock = Literal["wall", "business"]
Band = Literal["fast", "average", "slow", "no_data"]
CLOCKS: tuple[Clock, ...] = ("wall", "business")
TIMES = ("pickup", "first_response", "reply", "handling", "resolution")
SLA_METRICS = ("overall", "pickup", "first_response", "avg_reply", "resolution")
BUCKETS = ("under_1m", "from_1m_to_3m", "from_3m_to_5m", "from_5m_to_10m", "over_10m")


@dataclass(frozen=True)
class HeatmapCell:
    """First responses of one weekday (0 = Sunday) × hour, by the chats' local creation.

    `band` compares the mean with those of the other cells. `has_enough_chats` says whether the chats are so many that
    the cell may be called fast or slow.
    """

    day_of_week: int
    hour: int
    chat_count: int
    mean_seconds: float | None
    p50_seconds: float | None
    band: Band
    has_enough_chats: bool = True


@dataclass(frozen=True)
class Waited:
    """A chat that one can look up in B2Chat, and how long its customer waited (None: waits still)."""

    chat_id: str
    agent_name: str | None
    department_name: str | None
    created_at: datetime | None
    seconds: float | None


@dataclass(frozen=True)
class Slot:
    """One of the slowest slots of those with enough chats, and its slowest chats."""

    cell: HeatmapCell
    chats: tuple[Waited, ...]


@dataclass(frozen=True)
class TrafficCell:
    """Chats created, and messages written, at one weekday (0 = Sunday) × hour; in an analysis no messages."""

    day_of_week: int
    hour: int
    chat_count: int
    message_count: int | None


@dataclass(frozen=True)
class ResponseTimes:
    """How one time (pickup, first_response, reply, handling, resolution) is spread, by wall clock or business time."""

    metric: str
    clock: Clock
    count: int
    mean_seconds: float | None
    p50_seconds: float | None
    p90_seconds: float | None
    p95_seconds: float | None
    p99_seconds: float | None
    under_1m_count: int
    from_1m_to_3m_count: int
    from_3m_to_5m_count: int
    from_5m_to_10m_count: int
    over_10m_count: int
    previous_count: int
    previous_p50_seconds: float | None
    previous_p90_seconds: float | None

    @property
    def buckets(self) -> tuple[int, ...]:
        """The counts in the order of `BUCKETS`."""
        return tuple(getattr(self, f"{bucket}_count") for bucket in BUCKETS)


@dataclass(frozen=True)
class TrendPoint:
    """A day, week or month: chats created, first responses by wall clock, and the overall SLA by wall clock.

    `is_whole` is false where the data does not cover all its days.
    """

    start: date
    chat_count: int | None
    first_response_count: int
    first_response_p50_seconds: float | None
    first_response_p90_seconds: float | None
    sla_judged_count: int
    sla_rate: float | None
    is_whole: bool = True


@dataclass(frozen=True)
class Sla:
    """The state of one target over the chats opened in the period; `overall` is all of them together."""

    metric: str
    clock: Clock
    target_seconds: int | None
    goal: float | None
    met_count: int
    breached_count: int
    pending_count: int
    rate: float | None
    previous_rate: float | None
    open_breached_count: int = 0
