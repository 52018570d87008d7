"""Terms of the lexicon, and finding them among the words of a message.

A term is a row of words: `paz y salvo`. `escritur*` is every word that begins so, `luz|agua` either, `...` up to four
words in between, and `-` before a term says that a negation shortly before it makes it void (`-me interesa`).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dagster_project.analysis.rules.spanish import fold, sound

GAP = 4  # words that `...` may stand for
NEGATIONS = frozenset(map(sound, ("no", "nunca", "ni", "sin", "tampoco", "jamas", "ningun", "ninguna", "nada")))
NEGATION_REACH = 3


# The options of each word, as (word, whether it is only the beginning of one); None is a gap.
Parts = tuple["tuple[tuple[str, bool], ...] | None", ...]


class BadTerm(ValueError):
    """A term cannot be read; the text quotes it."""


@dataclass(frozen=True, slots=True)
class Term:
    """One entry of the lexicon.

    Attributes:
        label: what it speaks for.
        text: as the lexicon writes it; shown as evidence.
        weight: how strongly.
        negatable: void after a negation.
    """

    label: str
    text: str
    weight: float
    negatable: bool
    parts: Parts


@dataclass(frozen=True, slots=True)
class Found:
    """A term in a row of words, from `start` up to and without `end`."""

    term: Term
    start: int
    end: int


def parse(label: str, text: str, weight: float) -> Term:
    """Read a term.

    Raises:
        BadTerm: it is empty, or begins or ends with a gap.
    """
    negatable, written = text.startswith("-"), text.removeprefix("-").split()
    if not written or "..." in (written[0], written[-1]):
        raise BadTerm(f"{text!r} is no term")
    parts = tuple(None if word == "..." else _options(word) for word in written)
    return Term(label, text, weight, negatable, parts)


def _options(word: str) -> tuple[tuple[str, bool], ...]:
    return tuple((_by_sound(one.removesuffix("*")), one.endswith("*")) for one in word.split("|"))


def _by_sound(word: str) -> str:
    return sound(fold(word)) if word[:1].isalpha() else word


class Finder:
    """Finds terms in rows of words, in time that grows with the words and not with the terms."""

    def __init__(self, terms: Iterable[Term]) -> None:
        self._whole: dict[str, list[Term]] = defaultdict(list)
        self._prefixes: dict[str, list[Term]] = defaultdict(list)
        for term in terms:
            for word, is_prefix in term.parts[0] or ():
                (self._prefixes if is_prefix else self._whole)[word].append(term)
        self._longest = max(map(len, self._prefixes), default=0)

    def find(self, words: Sequence[str]) -> list[Found]:
        """The terms that stand in the words."""
        found = []
        for start, word in enumerate(words):
            for term in self._beginning_with(word):
                end = _end(term.parts, 1, words, start + 1)
                if end and not (term.negatable and _negated(words, start)):
                    found.append(Found(term, start, end))
        return found

    def _beginning_with(self, word: str) -> Iterable[Term]:
        yield from self._whole.get(word, ())
        for end in range(2, min(len(word), self._longest) + 1):
            yield from self._prefixes.get(word[:end], ())


def without_overlaps(found: Iterable[Found]) -> list[Found]:
    """The strongest of those that share a word: what one word says counts once."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: (-one.term.weight, one.start - one.end, one.start)):
        if all(one.end <= other.start or other.end <= one.start for other in kept):
            kept.append(one)
    return kept


def _end(parts: Parts, part: int, words: Sequence[str], at: int) -> int:
    """Where the rest of a term ends that goes on at a word; 0 when it does not."""
    if part == len(parts):
        return at
    options = parts[part]
    if options is None:
        return next((end for skipped in range(GAP + 1) if (end := _end(parts, part + 1, words, at + skipped))), 0)
    if at < len(words) and any(
        words[at].startswith(word) if is_prefix else words[at] == word for word, is_prefix in options
    ):
        return _end(parts, part + 1, words, at + 1)
    return 0


def _negated(words: Sequence[str], start: int) -> bool:
    return any(word in NEGATIONS for word in words[max(0, start - NEGATION_REACH) : start])
