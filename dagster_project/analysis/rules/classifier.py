"""rules-v1: what a chat is about, by the words of the lexicon. Deterministic, offline, and it says what it went by.

A term counts once in a chat. Intent and sentiment come from what the customer wrote, the agent's quality from times
and from what the agent wrote. Where nothing speaks for a label there is none: OTHER for the intent, NULL elsewhere.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dagster_project.analysis.categories import Categorization
from dagster_project.analysis.conversation import Conversation
from dagster_project.analysis.rules import effectiveness, quality, sentiment
from dagster_project.analysis.rules.spanish import words
from dagster_project.analysis.rules.terms import BadTerm, Finder, Found, Term, parse, without_overlaps

LEXICON = Path(__file__).with_name("lexicon.yml")
MODEL = "rules-v1"

ASKING = 1.25  # what is said in a request says more about what is wanted
FIRST_REQUEST = 1.3
LEAST_EVIDENCE = 1.0
STAGE_OF_INTENT = {
    "PROJECT_INFO": "PROSPECT", "PAYMENT": "ACTIVE_BUYER", "LEGAL": "ACTIVE_BUYER", "POST_PURCHASE": "POST_PURCHASE",
}  # fmt: skip


class LexiconError(ValueError):
    """The lexicon cannot be read; the text names the place in it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Terms found in one message, by what they speak for."""

    found: dict[str, dict[str, Term]]  # label -> term's text -> term

    @property
    def asks(self) -> bool:
        return "request" in self.found

    def weight(self, label: str) -> float:
        return sum(term.weight for term in self.found.get(label, {}).values())


class RulesClassifier:
    """The classifier of one lexicon.

    Attributes:
        model: "rules-v1".
        version: model and the first eight signs of a hash of the lexicon and of the rules of effectiveness: another
            lexicon is another version.
    """

    model = MODEL

    def __init__(self, lexicon: Path = LEXICON) -> None:
        """Read a lexicon.

        Raises:
            LexiconError: the file is missing or no lexicon, or one of its terms cannot be read.
        """
        try:
            data = lexicon.read_bytes()
            content = yaml.safe_load(data)
        except OSError as error:
            raise LexiconError(f"{lexicon.name}: {error.strerror}") from None
        except yaml.YAMLError as error:
            raise LexiconError(f"{lexicon.name} is no YAML: {type(error).__name__}") from None
        self.cost_usd, self.answered_by = 0.0, {MODEL}
        self.version = f"{MODEL}+{hashlib.sha256(data + effectiveness.VERSION).hexdigest()[:8]}"
        terms = _terms(content)
        self._customer = Finder(term for term in terms if not term.label.startswith("agent:"))
        self._agent = Finder(term for term in terms if term.label.startswith("agent:"))

    def classify(self, conversation: Conversation) -> Categorization:
        """Categorize one chat."""
        customer = [self._evidence(self._customer, message.text) for message in conversation.customer]
        intents = _intent_scores(customer)
        intent, confidence = _decide(intents)
        stage = _stage(intent, customer)
        mood = sentiment.judge(conversation, customer)
        agent = [self._evidence(self._agent, message.text) for message in conversation.agent]
        score = quality.score(conversation, agent)
        return Categorization(
            customer_intent=intent, journey_stage=stage, sentiment=mood, agent_quality_score=score,
            confidence_score=confidence, reasoning_notes=_notes(intent, mood, customer),
            effectiveness=effectiveness.judge(conversation, customer, agent, mood))

    def _evidence(self, finder: Finder, text: str) -> Evidence:
        by_label: dict[str, list[Found]] = defaultdict(list)
        for found in finder.find(words(text)):
            by_label[found.term.label].append(found)
        return Evidence({
            label: {found.term.text: found.term for found in without_overlaps(all_found)}
            for label, all_found in by_label.items()})  # fmt: skip


def _terms(lexicon: Any) -> list[Term]:
    terms = []
    try:
        for group, prefix in (("intents", "intent"), ("stages", "stage"), ("sentiment", "sentiment")):
            for label, weights in lexicon[group].items():
                for weight, texts in weights.items():
                    terms += [parse(f"{prefix}:{label}", str(text), float(weight)) for text in texts]
        for group, label in (("sarcasm", "sarcasm"), ("requests", "request")):
            terms += [parse(label, str(text), 1) for text in lexicon[group]]
        for kind, texts in lexicon["agent"].items():
            terms += [parse(f"agent:{kind}", str(text), 1) for text in texts]
    except BadTerm as error:
        raise LexiconError(f"{error} of the lexicon") from None
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise LexiconError(f"this is no lexicon: {type(error).__name__} at {error}") from None
    return terms


def _intent_scores(messages: Sequence[Evidence]) -> dict[str, float]:
    """By intent: the weight of each of its terms once, more where the customer asks."""
    best: dict[str, dict[str, float]] = defaultdict(dict)
    first_request = next((number for number, one in enumerate(messages) if one.asks and _has_intent(one)), None)
    for number, one in enumerate(messages):
        factor = (ASKING if one.asks else 1) * (FIRST_REQUEST if number == first_request else 1)
        for label, terms in one.found.items():
            if label.startswith("intent:"):
                for text, term in terms.items():
                    best[label[7:]][text] = max(best[label[7:]].get(text, 0), term.weight * factor)
    return {intent: _diminished(weights.values()) for intent, weights in best.items()}


def _has_intent(one: Evidence) -> bool:
    return any(label.startswith("intent:") for label in one.found)


def _diminished(weights: Iterable[float]) -> float:
    """The strongest term whole, each further one less: many weak words do not make a strong one."""
    return sum(weight * 0.75**place for place, weight in enumerate(sorted(weights, reverse=True)))


def _decide(scores: dict[str, float]) -> tuple[str, float]:
    if not scores or max(scores.values()) < LEAST_EVIDENCE:
        return "OTHER", 0.3
    ranked = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
    first, second = ranked[0][1], ranked[1][1] if len(ranked) > 1 else 0.0
    margin = (first - second) / first
    strength = min(first / 8, 1)
    return ranked[0][0], round(0.35 + 0.35 * margin + 0.25 * strength, 2)


def _stage(intent: str, messages: Sequence[Evidence]) -> str | None:
    if intent == "OTHER":
        return None
    own = STAGE_OF_INTENT[intent]
    scores = defaultdict(float, {own: 2.0 if intent != "LEGAL" else 1.0})
    for stage in ("PROSPECT", "ACTIVE_BUYER", "POST_PURCHASE"):
        terms = {text: term for one in messages for text, term in one.found.get(f"stage:{stage}", {}).items()}
        scores[stage] += _diminished(term.weight for term in terms.values())
    return max(scores, key=lambda stage: (scores[stage], stage == own))


def _notes(intent: str, mood: str, messages: Sequence[Evidence]) -> str:
    wanted = [f"intent:{intent}", f"sentiment:{mood}"]
    seen = dict.fromkeys(text.lstrip("-") for label in wanted for one in messages for text in one.found.get(label, {}))
    return "[Reglas, sin IA] términos: " + (", ".join(list(seen)[:8]) or "ninguno")
