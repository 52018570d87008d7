"""What a report is about: whose conversations, how far the data goes, what an analysis was asked for."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Scope = Literal["all", "agent", "department", "channel", "source", "direction"]
SCOPES: tuple[Scope, ...] = ("all", "agent", "department", "channel", "source", "direction")
DIRECTIONS = ("incoming", "outgoing", "outgoing_broadcast")
Direction = Literal["incoming", "outgoing", "outgoing_broadcast", "unknown"]


@dataclass(frozen=True)
class Filter:
    """Whose chats these are, all or those of one agent, department, channel, source or direction; how they began.

    They have no times where they come from several sources.
    """

    scope: Scope = "all"
    scope_id: str = "all"
    name: str = "all"
    began: str = "incoming"
    has_times: bool = True

    @property
    def direction(self) -> str:
        """How the chats began."""
        return self.scope_id if self.scope == "direction" else self.began


@dataclass(frozen=True)
class Freshness:
    """How far the data goes."""

    data_through: datetime | None
    refreshed_at: datetime | None
    first_date: date | None
    last_date: date | None


@dataclass(frozen=True)
class Population:
    """Chats that began in one way; they stand apart from those that the report is about."""

    direction: Direction
    chat_count: int
    previous_chat_count: int | None


@dataclass(frozen=True)
class Analysis:
    """What a customer analysis was asked for, by whom, and how it went.

    Filters combine with AND, and an empty one lets all pass. Of `chat_in_filter_count` chats the share `sample_rate`
    was chosen; some of these were skipped, or are still pending.
    """

    id: str
    status: str
    triggered_by: str
    agent_names: tuple[str, ...]
    department_names: tuple[str, ...]
    contact_count: int
    sample_rate: float
    classifier_version: str | None
    chat_in_filter_count: int
    skipped_count: int
    pending_count: int
    completed_at: datetime | None
