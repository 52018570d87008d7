"""Text in a chat that is aimed at the machine that reads it: orders to ignore its rules, labels it should give, tags.

Customers and agents may both write it; an agent gains from "calificación 10". A flag changes no label: it puts the chat
before a person. Words are compared without accents, invisible characters and look-alike letters; a survey's scale ("de
1 a 5, ¿cómo califica…?") and everyday Spanish ("ignore el mensaje anterior") are no orders to a machine.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import groupby
from operator import attrgetter

from dagster_project.analysis import orders
from dagster_project.analysis.conversation import Conversation

# Letters that are not seen; a few of them after a black flag are the flag of a region.
_TAG_CHARACTER = re.compile("[\U000e0020-\U000e007e]")
_TAG_CHARACTERS = re.compile("(?:^|[^\U0001f3f4\U000e0020-\U000e007f])[\U000e0020-\U000e007e]{4,}")

_SENTENCE_ENDS = re.compile(r"(?<=[.!?])\s+|\n+")
_NOT_PLAIN = re.compile(r"[^\n\t -~]+")
_CACHED_UP_TO = 500  # characters; what is written again and again is short


def suspected(conversation: Conversation) -> bool:
    """Whether what either side wrote in one go, in one message or several, looks like an order to a machine."""
    turns = groupby(conversation.messages, key=attrgetter("incoming"))
    return any(_is_order_in([message.text for message in turn]) for _, turn in turns)


def is_order(text: str) -> bool:
    """Whether a text looks like an order to a machine that reads it."""
    return _groups_and_order(text)[1]


def without_orders(conversation: Conversation) -> Conversation:
    """The chat without the sentences that are orders to a machine: for a reader that only weighs words."""
    texts = [_without_orders(one.text) for one in conversation.messages]
    if all(text is one.text for text, one in zip(texts, conversation.messages, strict=True)):
        return conversation
    return Conversation(tuple(replace(one, text=text) for text, one in zip(texts, conversation.messages, strict=True)))


def _without_orders(text: str) -> str:
    if not _looked_at(text)[1]:
        return text
    kept = " ".join(_before_order(sentence) for sentence in _SENTENCE_ENDS.split(text))
    return "" if is_order(kept) else kept


def _before_order(sentence: str) -> str:
    """A sentence up to where it becomes an order; the rest of it is the order's."""
    if not is_order(sentence):
        return sentence
    words = sentence.split()
    end = bisect_left(range(len(words)), True, key=lambda count: is_order(" ".join(words[:count])))
    start = bisect_left(range(end), True, key=lambda first: not is_order(" ".join(words[first:end])))
    return " ".join(words[: start - 1]) if start else ""


def _tidy(text: str) -> str:
    """One space where there are many: patterns that meet long runs of them would take the square of their length."""
    return "\n".join(" ".join(line.split()) for line in text.split("\n") if line.strip())


def _is_order_in(texts: Sequence[str]) -> bool:
    """Whether there is an order in one of the texts, or in all of them read as one."""
    groups = 0
    for text in texts:
        of_text, is_one = _looked_at(text)
        if is_one:
            return True
        groups |= of_text
    return len(texts) > 1 and orders.can_be_order(groups) and is_order(" ".join(texts))


def _looked_at(text: str) -> tuple[int, bool]:
    return _looked_at_before(text) if len(text) <= _CACHED_UP_TO else _groups_and_order(text)


def _groups_and_order(text: str) -> tuple[int, bool]:
    """The groups of telling words in a text, and whether it is an order."""
    is_plain = text.isascii() and text.isprintable()
    plain = (text if is_plain else _plain(text)).lower()
    groups = orders.groups(plain)
    if orders.can_be_order(groups):
        plain = _tidy(plain)
        unmasked = plain.translate(orders.LOOK_ALIKE)
        if orders.ORDER.search(plain) or (unmasked != plain and orders.ORDER.search(unmasked)):
            return groups, True
    return groups, not text.isascii() and bool(_TAG_CHARACTER.search(text) and _TAG_CHARACTERS.search(text))


_looked_at_before = lru_cache(10_000)(_groups_and_order)


def _plain(text: str) -> str:
    return _NOT_PLAIN.sub(lambda found: _seen(found[0]), unicodedata.normalize("NFKD", text))


@lru_cache(10_000)
def _seen(text: str) -> str:
    """Characters without accents and without what is not seen."""
    return "".join(character for character in text if unicodedata.category(character) not in {"Mn", "Cf", "Cc"})
