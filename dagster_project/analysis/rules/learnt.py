"""What words weigh for each label, learnt from labelled chats beside the lexicon: `scripts/train_rules.py` wrote it."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from pathlib import Path

from dagster_project.analysis.rules import confidence, cues
from dagster_project.analysis.rules.spanish import words

WEIGHTS = Path(__file__).with_name("weights.json")
# The file has a character a label: the later among these, the more the cue speaks for it, by squares; the middle is 0.
SCALE = "".join(chr(code) for code in range(36, 126) if chr(code) != "\\")
MIDDLE = len(SCALE) // 2
MAX_WEIGHT = 5.0
MIN_WORDS = 3  # a chat of fewer words counts as one of so many
CLEAR = 1.0  # log odds for which a word is told as a reason
DAMPING = 0.4  # the more words, the less each of them says

_TEXT, _STEM = attrgetter("text"), attrgetter("stem")

Vector = tuple[float, ...]
Scores = dict[str, dict[str, float]]  # by field, by label


@dataclass(slots=True, eq=False)
class Word:
    """What is known of a word.

    Attributes:
        is_spoken: whether it is of letters; numbers and punctuation are none.
        weights: by label, what its stem and its pieces weigh together.
        is_known: whether a chat that was learnt from had a word of its stem.
        is_shown: whether the notes may show it.
    """

    text: str
    is_spoken: bool
    stem: str
    weights: Vector
    is_known: bool
    is_shown: bool


Rows = Sequence[Sequence[Word]]


class BadWeights(ValueError):
    """The weights cannot be used; the text names what is wrong."""


class Learnt:
    """A linear model: a label's score is the sum of what the cues of a chat weigh for it.

    Attributes:
        stages: by intent, by stage: how frequent the stage is among the intent's chats.
        confidence: what `confidence.likely` takes.
        labels: by field, the labels that it learnt to tell apart.
        common: the words that several chats have, as `spanish.words` gives them.
    """

    def __init__(self, data: bytes) -> None:
        """Take the content of a file of weights.

        Raises:
            BadWeights: it is none.
        """
        try:
            content = json.loads(data)
            self.stages: dict[str, dict[str, float]] = content["stages"]
            self.confidence = {name: float(content["confidence"][name]) for name in ("start", *confidence.FEATURES)}
            self.labels: dict[str, list[str]] = content["labels"]
            self._labels = [(field, label) for field, labels in self.labels.items() for label in labels]
            self._start = self._vector(content["start"])
            self._nothing = (0.0,) * len(self._labels)
            self._shown = {_stem(word): word for word in content["words"]}
            self.common = [spoken[0] for word in content["words"] if (spoken := words(word))]
            both = content["words"] | content["rare"]
            self._words = {_stem(word): self._vector(row) for word, row in both.items()}
            self._pairs = {_stems(two): self._vector(row) for two, row in content["pairs"].items()}
            self._pieces = {piece: self._vector(row) for piece, row in content["pieces"].items()}
            self._signals = {name: self._vector(content["signals"][name]) for name in cues.SIGNALS}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadWeights(f"these are no weights: {type(error).__name__} at {error}") from None

    def knows(self, word: str) -> bool:
        """Whether a chat that was learnt from had a word of its stem."""
        return cues.stem(word) in self._words

    def word(self, text: str) -> Word:
        """What is known of a word, as `spanish.words` gives it."""
        stem, is_spoken = cues.stem(text), text.isalpha()
        if not is_spoken:
            return Word(text, False, stem, self._words.get(stem, self._nothing), stem in self._words, False)
        parts = list(filter(None, (self._words.get(stem), *map(self._pieces.get, cues.pieces(text)))))
        # Many words that nobody knows have one part or none.
        weights: Vector = tuple(map(sum, zip(*parts, strict=True))) if len(parts) > 1 else (*parts, self._nothing)[0]
        return Word(text, True, stem, weights, stem in self._words, stem in self._shown)

    def scores(self, rows: Rows, signals: Mapping[str, float]) -> Scores:
        """By field and label how much speaks for it, as log odds up to a constant.

        Args:
            rows: the words of each of the customer's messages.
            signals: what `cues.signals` says of the chat.
        """
        words = distinct(rows)
        pairs = filter(self._pairs.__contains__, cues.pairs(list(map(_STEM, row)) for row in rows))
        found = [word.weights for word in words]
        found += map(self._pairs.__getitem__, dict.fromkeys(pairs))
        scale = max(len(words), MIN_WORDS) ** -DAMPING
        total = [scale * sum(column) for column in zip(*found, strict=True)] or [0.0] * len(self._labels)
        for vector, times in [(self._start, 1.0), *((self._signals[name], value) for name, value in signals.items())]:
            if times:
                total = [one + times * weight for one, weight in zip(total, vector, strict=True)]
        by_field: dict[str, dict[str, float]] = {field: {} for field in self.labels}
        for (field, label), score in zip(self._labels, total, strict=True):
            by_field[field][label] = score
        return by_field

    def telling(self, rows: Rows, field: str, label: str) -> list[str]:
        """The well-known words that speak clearly for a label, those that say most first."""
        place = self._labels.index((field, label))
        weights = {word.stem: word.weights[place] for word in chain.from_iterable(rows) if word.is_shown}
        clear = sorted((-weight, stem) for stem, weight in weights.items() if weight >= CLEAR)
        return [self._shown[stem] for _, stem in clear]

    def _vector(self, row: str) -> Vector:
        if len(row) != len(self._labels):
            raise ValueError(f"{len(row)} weights for {len(self._labels)} labels")
        return tuple(map(_WEIGHT_OF.__getitem__, row))


def distinct(rows: Rows) -> list[Word]:
    """Each word once, in the order in which they come first."""
    words = list(chain.from_iterable(rows))
    return list(dict(zip(map(_TEXT, words), words, strict=True)).values())


def row_of(weights: Sequence[float]) -> str:
    """Weights as the file writes them; what is beyond the last character is cut to it."""
    steps = (min(round(math.sqrt(abs(weight) / MAX_WEIGHT) * MIDDLE), MIDDLE) for weight in weights)
    return "".join(SCALE[MIDDLE + (step if weight > 0 else -step)] for step, weight in zip(steps, weights, strict=True))


_WEIGHT_OF = {
    character: math.copysign(((place - MIDDLE) / MIDDLE) ** 2 * MAX_WEIGHT, place - MIDDLE)
    for place, character in enumerate(SCALE)
}


def _stems(pair: str) -> tuple[str, ...]:
    return tuple(map(_stem, pair.split(" ")))


@lru_cache(10_000)
def _stem(shown: str) -> str:
    """The stem of a word as the file writes it; a character is its own."""
    spoken = words(shown)
    return cues.stem(spoken[0]) if spoken else shown
