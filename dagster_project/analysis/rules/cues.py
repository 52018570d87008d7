"""What learnt weights are attached to: the customer's words, pairs of neighbours, pieces of words, and signals.

Words count by their stem and each once in a chat, so that "cuota", "cuotas" and "kuota" are one; pieces of three to
five letters ("<kuo", "uota") reach words that nobody labelled. Who trains and who classifies use this module.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from dagster_project.analysis.conversation import Conversation

EDGE = "·"  # where a message begins or ends, in pairs
MAX_STEM_LENGTH = 7
PIECES = (3, 4, 5)  # letters
SIGNALS = (
    "short",
    "messages",
    "asks",
    "asks_last",
    "exclaims",
    "shouts",
    "double_marks",
    "dots",
    "quotes",
    "wrote_again",
    "waited",
)
LONG_WAIT, AGAIN = 360, 30  # minutes

_CAPITALS = re.compile(r"[^\W\d_]{3,}")
_DOUBLE_MARKS = re.compile(r"\?\?|!!|\?!|!\?")


def stem(word: str) -> str:
    """A word of `spanish.words` without its ending; every number is "#"."""
    if not word.isalpha():
        return "#" if word[0].isdigit() else word
    if len(word) > 4:
        if word[-1] == "s" and word[-2] != "i":  # "crisis" is no plural
            word = word[:-2] if word[-2] == "e" and word[-3] != "i" else word[:-1]
        if word[-1] in "aeo":
            word = word[:-1]
    return word[:MAX_STEM_LENGTH]


def pieces(word: str) -> list[str]:
    """Three to five letters in a row, with the word's edges; none of numbers and placeholders."""
    if not word.isalpha():
        return []
    edged = f"<{word}>"
    return list(map(edged.__getitem__, _slices(len(edged))))


@lru_cache
def _slices(letters: int) -> list[slice]:
    return [slice(start, start + length) for length in PIECES for start in range(letters - length + 1)]


def pairs(rows: Iterable[Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Neighbours in each message, and its edges; of stems."""
    edged = [EDGE]
    for row in rows:
        edged += row
        edged.append(EDGE)
    return pairwise(edged)


def signals(conversation: Conversation) -> dict[str, float]:
    """How the customer writes, and how long he is left alone: 0 to about 2 each, those of SIGNALS."""
    customer = conversation.customer
    text = " ".join(message.text for message in customer)
    words = text.split()
    # Most words are small, or numbers, and need no look at their letters.
    shouted = [word for word in words if not word.islower() and not word.isdigit()]
    capitals = [letters for word in shouted for letters in _CAPITALS.findall(word) if letters.isupper()]
    asks, exclaims = text.count("?"), text.count("!")
    until_own, until_next = _longest_gaps(conversation)
    return dict(
        zip(
            SIGNALS,
            (
                float(len(words) < 5),
                min(len(customer), 6) / 3,
                min(asks, 3) / 2,
                float(bool(customer) and "?" in customer[-1].text),
                min(exclaims, 3) / 2,
                0.5 if len(capitals) > 0.8 * len(words) else min(len(capitals), 4) / 2,
                float(asks + exclaims > 1 and bool(_DOUBLE_MARKS.search(text))),
                float("..." in text or "…" in text),
                float(any(mark in text for mark in '"“«')),
                float(until_own > AGAIN),
                float(until_next > LONG_WAIT),
            ),
            strict=True,
        )
    )


def _longest_gaps(conversation: Conversation) -> tuple[float, float]:
    """Minutes after a message of the customer until his own next one, where nobody wrote between, and anybody's."""
    own, anybodys = 0.0, 0.0
    for earlier, later in pairwise(conversation.messages):
        if earlier.incoming and earlier.minutes is not None and later.minutes is not None:
            gap = later.minutes - earlier.minutes
            anybodys = max(anybodys, gap)
            if later.incoming:
                own = max(own, gap)
    return own, anybodys
