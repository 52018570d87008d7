"""Terms of the lexicon, and finding them among the words of a message.

A term is a row of words: `paz y salvo`. `escritur*` is every word that begins so, `luz|agua` either, `...` up to four
words in between, and `-` before a term says that a negation shortly before it makes it void (`-me interesa`).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dagster_project.analysis.rules.spanish import fold, sound

GAP = 4  # words that `...` may stand for
NEGATIONS = frozenset(map(sound, ("no", "nunca", "ni", "sin", "tampoco", "jamas", "ningun", "ninguna", "nada")))
NEGATION_REACH = 3


@dataclass(frozen=True, slots=True)
class Options:
    """What may stand at a word's place: whole words, and beginnings of words."""

    whole: frozenset[str]
    beginnings: tuple[str, ...]

    def has(self, word: str) -> bool:
        return word in self.whole or word.startswith(self.beginnings)


Parts = tuple[Options | None, ...]  # None is a gap


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


class Found(NamedTuple):
    """A term in a row of words, from `start` up to and without `end`."""

    term: Term
    start: int
    end: int


# A term that begins with a word or two, how many of its words these are, and the parts that are still to come.
Begun = tuple[Term, int, Parts]


@dataclass(frozen=True, slots=True)
class Beginning:
    """The terms that begin with a word.

    Attributes:
        terms: all of them.
        whatever_follows: those that may stand there whatever the next word is.
        by_next: by the next word, those that may go on with it; which keeps most away after "no".
        beginnings: of next words that are not in `by_next`.
    """

    terms: Sequence[Term]
    whatever_follows: Sequence[Begun]
    by_next: Mapping[str, Sequence[Begun]]
    beginnings: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Word:
    """A word, and the terms that begin with it, if any."""

    text: str
    beginning: Beginning | None


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


def _options(word: str) -> Options:
    options = word.split("|")
    return Options(
        frozenset(_by_sound(one) for one in options if not one.endswith("*")),
        tuple(dict.fromkeys(_by_sound(one.removesuffix("*")) for one in options if one.endswith("*"))),
    )


def _by_sound(word: str) -> str:
    return sound(fold(word)) if word[:1].isalpha() else word


class Finder:
    """Finds terms in rows of words, in time that grows with the words and not with the terms."""

    def __init__(self, terms: Iterable[Term]) -> None:
        self._whole: dict[str, list[Term]] = defaultdict(list)
        beginnings: dict[str, list[Term]] = defaultdict(list)
        for term in terms:
            first = term.parts[0]
            assert first is not None
            for word in first.whole:
                self._whole[word].append(term)
            for word in first.beginnings:
                beginnings[word].append(term)
        # By their first two letters, the shortest first.
        self._beginnings: dict[str, list[tuple[str, list[Term]]]] = defaultdict(list)
        for word in sorted(beginnings, key=len):
            self._beginnings[word[:2]].append((word, beginnings[word]))

    def word(self, text: str) -> Word:
        """A word, and the terms that begin with it."""
        terms = list(self._whole.get(text, ()))
        for beginning, begun in self._beginnings.get(text[:2], ()):
            if text.startswith(beginning):
                terms += begun
        return Word(text, _beginning(terms) if terms else None)

    def find(self, row: Sequence[Word]) -> list[Found]:
        """The terms that stand in the words."""
        found, words = [], [word.text for word in row]
        for start, word in enumerate(row):
            if (beginning := word.beginning) is not None:
                following = words[start + 1] if start + 1 < len(words) else ""
                for term, read, rest in beginning.by_next.get(following) or _begun(beginning, following):
                    end = _end(rest, words, start + read) if rest else start + read
                    if end and not (term.negatable and _negated(words, start)):
                        found.append(Found(term, start, end))
        return found


def without_overlaps(found: Iterable[Found]) -> list[Found]:
    """The strongest of those that share a word: what one word says counts once."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: (-one.term.weight, one.start - one.end, one.start)):
        if all(one.end <= other.start or other.end <= one.start for other in kept):
            kept.append(one)
    return kept


def _beginning(terms: Sequence[Term]) -> Beginning:
    seconds = [term.parts[1] for term in terms if len(term.parts) > 1 and term.parts[1]]
    return Beginning(
        terms,
        _going_on(terms, ""),
        {word: _going_on(terms, word) for second in seconds for word in second.whole},
        tuple({beginning for second in seconds for beginning in second.beginnings}),
    )


def _begun(beginning: Beginning, following: str) -> Sequence[Begun]:
    if following.startswith(beginning.beginnings):
        return _going_on(beginning.terms, following)
    return beginning.whatever_follows


def _going_on(terms: Iterable[Term], following: str) -> list[Begun]:
    found: list[Begun] = []
    for term in terms:
        second = term.parts[1] if len(term.parts) > 1 else None
        if second is None:
            found.append((term, 1, term.parts[1:]))
        elif second.has(following):
            found.append((term, 2, term.parts[2:]))
    return found


def _end(parts: Parts, words: Sequence[str], at: int) -> int:
    """Where the parts of a term end that go on at a word; 0 when they do not."""
    for place, options in enumerate(parts):
        if options is None:
            rest = parts[place + 1 :]
            after, near = rest[0], words[at : at + GAP + 1]
            if after and not after.beginnings and after.whole.isdisjoint(near):
                return 0  # which is nearly always so
            for start, word in enumerate(near, start=at):
                if (after is None or after.has(word)) and (end := _end(rest, words, start)):
                    return end
            return 0
        if at >= len(words) or not options.has(words[at]):
            return 0
        at += 1
    return at


def _negated(words: Sequence[str], start: int) -> bool:
    return not NEGATIONS.isdisjoint(words[max(0, start - NEGATION_REACH) : start])
