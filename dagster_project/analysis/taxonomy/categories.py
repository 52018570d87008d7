"""What a categorization holds, whoever makes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

INTENTS = ("PROJECT_INFO", "PAYMENT", "LEGAL", "POST_PURCHASE", "OTHER")
STAGES = ("PROSPECT", "ACTIVE_BUYER", "POST_PURCHASE")
SENTIMENTS = ("POSITIVE", "NEUTRAL", "FRICTION")


@dataclass(frozen=True, slots=True)
class Effectiveness:
    """How well one chat served the customer; the overall score is computed from these, in SQL.

    Attributes:
        resolution_score: 0 to 100, how far the customer got what he came for; None without evidence.
        customer_satisfaction: 0 to 100, by what the customer wrote; None without evidence.
        recommendations: what the agent could do better, a sentence each.
        evidence: what it went by; stored as JSON, so it holds no personal data.
    """

    resolution_score: float | None
    customer_satisfaction: float | None
    recommendations: tuple[str, ...] = ()
    evidence: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Categorization:
    """One chat's labels.

    Attributes:
        customer_intent: one of INTENTS.
        journey_stage: one of STAGES; None where none applies.
        sentiment: one of SENTIMENTS.
        agent_quality_score: 1 to 10; None where no agent wrote.
        confidence_score: 0 to 1.
        reasoning_notes: what it went by.
        effectiveness: None where the classifier does not judge it, or cannot.
    """

    customer_intent: str
    journey_stage: str | None
    sentiment: str
    agent_quality_score: int | None
    confidence_score: float
    reasoning_notes: str
    effectiveness: Effectiveness | None = None
