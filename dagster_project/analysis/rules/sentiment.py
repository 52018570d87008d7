"""The customer's mood, message by message: a complaint stays one until warm thanks come after it."""

from collections.abc import Sequence

from dagster_project.analysis.conversation import Conversation
from dagster_project.analysis.rules.evidence import Evidence

COMPLAINT = 4.5  # one strong word, or three weak ones
STRONG_COMPLAINT = 10.0
WARM = 3.0
VERY_WARM = 5.0


def judge(conversation: Conversation, evidence: Sequence[Evidence]) -> str:
    """POSITIVE, NEUTRAL or FRICTION."""
    complaints = [_complaint(one) for one in evidence]
    warmth = [_warmth(one, complaint) for one, complaint in zip(evidence, complaints, strict=True)]
    total = sum(complaints)
    if total < COMPLAINT:
        return "POSITIVE" if max(warmth, default=0) >= WARM else "NEUTRAL"
    last_complaint = max(number for number, complaint in enumerate(complaints) if complaint > 0)
    end_of_it = max(warmth[last_complaint:], default=0)
    needed = VERY_WARM if total >= STRONG_COMPLAINT or last_complaint == len(evidence) - 1 else WARM
    return "POSITIVE" if end_of_it >= needed and _was_answered(conversation, last_complaint) else "FRICTION"


def _complaint(one: Evidence) -> float:
    return one.weight("sentiment:FRICTION")


def _warmth(one: Evidence, complaint: float) -> float:
    warm = one.weight("sentiment:POSITIVE")
    if complaint >= warm or (complaint > 0 and "sarcasm" in one.found):
        return 0
    return min(warm, WARM - 0.1) if one.asks and warm < VERY_WARM else warm


def _was_answered(conversation: Conversation, customer_message: int) -> bool:
    """Whether the agent wrote after a customer's message, or there is only one: then nobody could."""
    if len(conversation.messages) == 1:
        return True
    seen = -1
    for message in conversation.messages:
        seen += message.incoming
        if seen >= customer_message and not message.incoming:
            return True
    return False
