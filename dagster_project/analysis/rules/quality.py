"""How well the agent did, 1 to 10: how soon, how concretely and how politely he answered, and what he left open."""

from collections.abc import Sequence
from itertools import pairwise

from dagster_project.analysis.conversation import Conversation, Message
from dagster_project.analysis.rules.evidence import Evidence

START = 6.0
QUICK, SLOW, VERY_SLOW, LOST = 10, 120, 360, 720  # minutes that the customer waited
SHORT, LONG = 4, 18  # words of a reply


def score(conversation: Conversation, evidence: Sequence[Evidence]) -> int | None:
    """1 (ignored, rude, wrong) to 10 (quick, concrete, next step); None where no agent wrote."""
    replies = conversation.agent
    if not any(reply.text.strip() for reply in replies):
        return None
    points = START + _for_waiting(conversation) + _for_words(conversation, evidence)
    if conversation.messages[-1].incoming and asks(conversation.messages[-1].text):
        points -= 2.5
    return max(1, min(10, round(points)))


def longest_wait(conversation: Conversation) -> float | None:
    """Minutes that the customer waited for an answer, at most; None where no answer can be timed."""
    waits = [
        later.minutes - earlier.minutes
        for earlier, later in pairwise(_turns(conversation))
        if earlier.incoming and not later.incoming and earlier.minutes is not None and later.minutes is not None
    ]
    return max(waits, default=None)


def asks(text: str) -> bool:
    """Whether a text asks something."""
    return "?" in text


def _for_waiting(conversation: Conversation) -> float:
    longest = longest_wait(conversation)
    if longest is None:
        return 0
    if longest > LOST:
        return -3
    if longest > VERY_SLOW:
        return -2
    if longest > SLOW:
        return -1
    return 1 if longest <= QUICK else 0


def _turns(conversation: Conversation) -> list[Message]:
    """The first message of each run of one side."""
    return [
        one
        for place, one in enumerate(conversation.messages)
        if place == 0 or conversation.messages[place - 1].incoming != one.incoming
    ]


def _for_words(conversation: Conversation, evidence: Sequence[Evidence]) -> float:
    count = len(evidence)
    concrete = sum("agent:concrete" in one.found for one in evidence)
    courteous = sum("agent:courteous" in one.found for one in evidence)
    rude = sum("agent:rude" in one.found for one in evidence)
    lengths = [len(reply.text.split()) for reply in conversation.agent]
    mean = sum(lengths) / count
    points = min(concrete, 2) * 0.9 + (0.5 if courteous else -0.3) - 2 * min(rude, 2)
    if mean < SHORT:
        points -= 1.5
    elif mean >= LONG:
        points += 0.5
    return points
