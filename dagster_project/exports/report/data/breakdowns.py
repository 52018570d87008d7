"""Of a report: agents, departments and channels; what customers want, and who says so."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Member:
    """What an agent, a department or a channel did; times by wall clock.

    `closed_count` counts what was closed in the period (None in an analysis). `message_count` (what was sent),
    concurrency and `other_chat_count` (chats that the report is not about) are of chats of every kind; concurrency and
    quality (1 to 10, as categorized) are of agents alone.
    """

    id: str
    name: str
    chat_count: int
    closed_count: int | None
    message_count: int
    first_response_count: int
    first_response_p50_seconds: float | None
    first_response_p90_seconds: float | None
    reply_count: int
    reply_p50_seconds: float | None
    resolution_count: int
    resolution_p50_seconds: float | None
    sla_judged_count: int
    sla_rate: float | None
    mean_concurrent_chats: float | None
    quality_count: int
    mean_quality: float | None
    other_chat_count: int = 0
    sla_goal: float | None = None
    open_breached_count: int = 0


@dataclass(frozen=True)
class Intent:
    """What customers wanted, beside the period before, and how soon they heard from us."""

    label: str
    count: int
    share: float
    previous_count: int
    previous_share: float | None
    first_response_count: int
    first_response_p50_seconds: float | None


@dataclass(frozen=True)
class Share:
    """How many of a whole carry a label; `label` None means that none applies."""

    label: str | None
    count: int
    share: float


@dataclass(frozen=True)
class Insights:
    """What the period's chats are about, and who says so: rules, a language model, a fake for trying, or a person.

    A person's label stands before a machine's. The counts are chats. An analysis does not say how many of its chats
    need a review, and leaves chats to which no label of a kind applies out of that kind's shares.

    Of the chats that nobody has categorized, `waiting_count` wait for the language model, and `unanswered_count` it
    refused or gave no answer to.
    """

    chat_count: int
    categorized_count: int
    by_rules_count: int
    by_model_count: int
    needs_review_count: int | None
    intents: tuple[Share, ...]
    journeys: tuple[Share, ...]
    sentiments: tuple[Share, ...]
    quality_count: int
    mean_quality: float | None
    by_stand_in_count: int = 0
    by_people_count: int = 0
    waiting_count: int = 0
    unanswered_count: int = 0
