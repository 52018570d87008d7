"""What a categorization holds, whoever makes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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
        labels: by field of the taxonomy, one of its labels; None, or not there, where none applies or is known.
        agent_quality_score: 1 to 10; None where no agent wrote.
        confidence_score: 0 to 1.
        reasoning_notes: what it went by.
        effectiveness: None where the classifier does not judge it, or cannot.
    """

    labels: Mapping[str, str | None]
    agent_quality_score: int | None
    confidence_score: float
    reasoning_notes: str
    effectiveness: Effectiveness | None = None

    @property
    def intent(self) -> str:
        """What the customer mainly wants, as runs count it."""
        return str(self.labels["customer_intent"])
