"""How well a classifier does on chats that somebody labelled.

A chat whose label is null is left out of its field's scores; a classifier that names a label there should have
abstained, and is counted apart. A field that a chat does not have is no opinion, and counted nowhere. Kappa is Cohen's;
the interval is Wilson's at 95 %; the calibration error (ECE) has ten bins over the confidence in the intent. What a
review of the unsure answers would find: their share, and the share of the wrong intents that is among them.
"""

import json
import math
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from dagster_project.analysis.conversation import Conversation
from dagster_project.analysis.taxonomy import taxonomy
from dagster_project.analysis.taxonomy.categorization import Categorization
from dagster_project.analysis.taxonomy.taxonomy import Taxonomy

SHIPPED = Path(__file__).with_name("ai_blind.jsonl")  # invented chats, of a writer who saw neither lexicon nor training
BANDS = ("low", "mid", "high")
NONE = "(none)"  # a column of the matrix: the classifier named no label
BINS = 10
UNSURE = 0.7  # a confidence below goes to review, where nobody says otherwise


class UnreadableSet(ValueError):
    """A labelled file cannot be read; the text names the line and the rule."""


class Classifier(Protocol):
    """What can be evaluated."""

    model: str
    version: str

    cost_usd: float  # of all chats so far
    classified_by: set[str]  # models, as their answers name them

    def classify(self, conversation: Conversation) -> Categorization | None: ...


@dataclass(frozen=True, slots=True)
class Labelled:
    """A chat and what somebody says it is.

    Attributes:
        gold: by field, a label, a band of quality, or None.
        judged: fields of which somebody said something; elsewhere there is no opinion, and nothing is counted.
        acceptable: intents that are right beside the first.
    """

    id: str
    conversation: Conversation
    gold: dict[str, str | None]
    judged: frozenset[str]
    acceptable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """One field's scores, over the chats that have a label for it.

    Attributes:
        confusion: by gold label, how often each label was named; NONE is among them where it happened.
        named_without_gold: chats without a label for which the classifier named one.
    """

    n: int
    accuracy: float | None
    accuracy_low: float | None
    accuracy_high: float | None
    macro_f1: float | None
    kappa: float | None
    labels: tuple[str, ...]
    confusion: dict[str, dict[str, int]]
    without_gold: int
    named_without_gold: int


@dataclass(frozen=True, slots=True)
class Report:
    """What an evaluation found.

    Attributes:
        classified_by: models, as their answers name them: a fake of Claude is not Claude.
        acceptable_intent_accuracy: share whose intent is the label or another acceptable one.
        calibration_error: ECE, 0 is best; bins hold (mean confidence, share right, chats).
        unsure_share: share of the answers whose confidence in the intent is below what goes to review.
        unsure_of_wrong_share: share of the wrong intents that is among them.
        failed: chats for which there was no answer; they count as wrong.
        cost_usd: what the model vendor charges; 0 for rules.
    """

    classifier: str
    classified_by: list[str]
    version: str
    chats: int
    unsure_share: float | None
    unsure_of_wrong_share: float | None
    failed: int
    seconds: float
    cost_usd: float
    fields: dict[str, Score]
    acceptable_intent_accuracy: float | None
    calibration_error: float | None
    calibration: list[tuple[float, float, int]] = field(default_factory=list)
    wrong: list[dict[str, Any]] = field(default_factory=list)


def fields_of(labels: Taxonomy | None = None) -> dict[str, tuple[str, ...]]:
    """By field what is told apart in it: the labels, those that ship where nothing is said, and bands of quality."""
    return {**(labels or taxonomy.shipped()).labels, "agent_quality": BANDS}


def read_labelled(path: Path, labels: Taxonomy | None = None) -> list[Labelled]:
    """Read a JSONL file: labels beside `text`, or under `gold` beside `messages`.

    Raises:
        UnreadableSet: a line is no JSON object, has no conversation, a label that does not exist, or an id that
            occurred before.
    """
    found: dict[str, Labelled] = {}
    fields = fields_of(labels)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableSet(f"{path.name}: {type(error).__name__}") from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                one = _labelled(json.loads(line), number, fields)
                if one.id in found:
                    raise ValueError("its id occurred before")
            except ValueError as error:
                raise UnreadableSet(f"{path.name}, line {number}: {error}") from None
            found[one.id] = one
    return list(found.values())


def evaluate(
    classifier: Classifier, labelled: Sequence[Labelled], unsure: float = UNSURE, labels: Taxonomy | None = None
) -> Report:
    """Classify each chat and compare; a confidence below `unsure` goes to review."""
    began = time.perf_counter()
    answers = [classifier.classify(one.conversation) for one in labelled]
    seconds = time.perf_counter() - began
    fields = fields_of(labels)
    named = [_named(answer, fields) for answer in answers]
    intents = [one["customer_intent"] for one in named]
    guesses = [
        (answer.confidence_score, one.gold["customer_intent"] == intent)
        for one, answer, intent in zip(labelled, answers, intents, strict=True)
        if answer and one.gold["customer_intent"]
    ]
    calibration = _calibration(guesses)
    return Report(
        classifier=classifier.model,
        classified_by=sorted(classifier.classified_by),
        version=classifier.version,
        chats=len(labelled),
        unsure_share=_share([confidence < unsure for confidence, _ in guesses]),
        unsure_of_wrong_share=_share([confidence < unsure for confidence, right in guesses if not right]),
        failed=sum(answer is None for answer in answers),
        seconds=seconds,
        cost_usd=classifier.cost_usd,
        fields={
            name: _score(
                [
                    (one.gold[name], answer[name])
                    for one, answer in zip(labelled, named, strict=True)
                    if name in one.judged
                ],
                members,
            )
            for name, members in fields.items()
        },
        acceptable_intent_accuracy=_share(
            [
                intent == one.gold["customer_intent"] or intent in one.acceptable
                for one, intent in zip(labelled, intents, strict=True)
                if one.gold["customer_intent"]
            ]
        ),
        calibration_error=_calibration_error(calibration),
        calibration=calibration,
        wrong=[_difference(one, answer) for one, answer in zip(labelled, named, strict=True) if _differs(one, answer)],
    )


def band(score: int | None) -> str | None:
    """An agent quality score as its band: 1-4 low, 5-7 mid, 8-10 high."""
    if score is None:
        return None
    return "low" if score <= 4 else "mid" if score <= 7 else "high"


def _labelled(record: Any, number: int, fields: Mapping[str, Sequence[str]]) -> Labelled:
    if not isinstance(record, dict):
        raise ValueError("is no JSON object")
    gold = record.get("gold", record)
    if not isinstance(gold, dict):
        raise ValueError("gold is no JSON object")
    quality = gold.get("agent_quality", gold.get("agent_quality_score"))
    labels = {name: gold.get(name) for name in fields}
    labels["agent_quality"] = band(quality) if isinstance(quality, int) else quality
    for name, label in labels.items():
        if label is not None and label not in fields[name]:
            raise ValueError(f"{name} has to be one of {', '.join(fields[name])} or null")
    judged = {*gold, *({"agent_quality"} if "agent_quality_score" in gold else ())}
    return Labelled(
        str(record.get("id", number)),
        Conversation.read(record),
        labels,
        frozenset(judged & set(fields)),
        tuple(gold.get("acceptable_intents") or ()),
    )


def _named(answer: Categorization | None, fields: Iterable[str]) -> dict[str, str | None]:
    named = {**answer.labels, "agent_quality": band(answer.agent_quality_score)} if answer else {}
    return {name: named.get(name) for name in fields}


def _differs(one: Labelled, answer: dict[str, str | None]) -> bool:
    return any(gold is not None and answer[name] != gold for name, gold in one.gold.items())


def _difference(one: Labelled, answer: dict[str, str | None]) -> dict[str, Any]:
    return {"id": one.id} | {
        name: {"gold": gold, "named": answer[name]}
        for name, gold in one.gold.items()
        if gold is not None and answer[name] != gold
    }


def _score(pairs: Sequence[tuple[str | None, str | None]], labels: tuple[str, ...]) -> Score:
    judged = [(gold, named or NONE) for gold, named in pairs if gold is not None]
    confusion: dict[str, dict[str, int]] = {label: {} for label in labels}
    for gold, named in judged:
        confusion[gold][named] = confusion[gold].get(named, 0) + 1
    right = sum(gold == named for gold, named in judged)
    low, high = _wilson(right, len(judged))
    return Score(
        n=len(judged),
        accuracy=right / len(judged) if judged else None,
        accuracy_low=low,
        accuracy_high=high,
        macro_f1=_macro_f1(judged),
        kappa=_kappa(judged),
        labels=labels,
        confusion=confusion,
        without_gold=len(pairs) - len(judged),
        named_without_gold=sum(gold is None and named is not None for gold, named in pairs),
    )


def _macro_f1(judged: Sequence[tuple[str, str]]) -> float | None:
    """The mean F1 of the labels that occur as gold."""
    gold, named = Counter(one for one, _ in judged), Counter(other for _, other in judged)
    right = Counter(one for one, other in judged if one == other)
    return _mean([2 * right[label] / (gold[label] + named[label]) for label in gold])


def _kappa(judged: Sequence[tuple[str, str]]) -> float | None:
    if not judged:
        return None
    n = len(judged)
    gold, named = Counter(one for one, _ in judged), Counter(other for _, other in judged)
    observed = sum(one == other for one, other in judged) / n
    expected = sum(gold[label] * named[label] for label in gold) / n**2
    return None if expected == 1 else (observed - expected) / (1 - expected)


def _wilson(right: int, n: int, z: float = 1.96) -> tuple[float | None, float | None]:
    if not n:
        return None, None
    share, spread = right / n, z * math.sqrt(right / n * (1 - right / n) / n + z**2 / (4 * n**2))
    middle, scale = share + z**2 / (2 * n), 1 + z**2 / n
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def _calibration(answers: Sequence[tuple[float, bool]]) -> list[tuple[float, float, int]]:
    bins: dict[int, list[tuple[float, bool]]] = {}
    for confidence, right in answers:
        bins.setdefault(min(int(confidence * BINS), BINS - 1), []).append((confidence, right))
    return [
        (sum(confidence for confidence, _ in one) / len(one), sum(right for _, right in one) / len(one), len(one))
        for _, one in sorted(bins.items())
    ]


def _calibration_error(calibration: Sequence[tuple[float, float, int]]) -> float | None:
    total = sum(n for _, _, n in calibration)
    return sum(abs(confidence - right) * n for confidence, right, n in calibration) / total if total else None


def _share(flags: Sequence[bool]) -> float | None:
    return _mean([float(flag) for flag in flags])


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
