"""What a categorization holds, whoever makes it."""

from dataclasses import dataclass

INTENTS = ("PROJECT_INFO", "PAYMENT", "LEGAL", "POST_PURCHASE", "OTHER")
STAGES = ("PROSPECT", "ACTIVE_BUYER", "POST_PURCHASE")
SENTIMENTS = ("POSITIVE", "NEUTRAL", "FRICTION")


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
    """

    customer_intent: str
    journey_stage: str | None
    sentiment: str
    agent_quality_score: int | None
    confidence_score: float
    reasoning_notes: str
