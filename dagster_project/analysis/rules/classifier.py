"""rules-v1: what a chat is about, by its words. Deterministic, offline, and it says what it went by.

Two things speak for a label, and are added up: the terms of the lexicon, which people wrote and edit, and what words
turned out to weigh in labelled chats (`learnt`). A term counts once in a chat. Intent, stage and sentiment come from
the customer's text, the agent's quality from times and from the agent's. What the customer calls urgent counts twice.
Orders to the machine are not read.
"""

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from dagster_project.analysis.conversation import Conversation
from dagster_project.analysis.injection import without_orders
from dagster_project.analysis.rules import confidence, cues, effectiveness, quality, sentiment
from dagster_project.analysis.rules.evidence import Evidence
from dagster_project.analysis.rules.glossary import GLOSSARY
from dagster_project.analysis.rules.learnt import WEIGHTS, BadWeights, Learnt, Rows
from dagster_project.analysis.rules.reading import AgentReader, CustomerReader, spelling_of
from dagster_project.analysis.rules.terms import BadTerm, Term, parse
from dagster_project.analysis.taxonomy.categorization import Categorization

LEXICON = Path(__file__).with_name("lexicon.yml")
MODEL = "rules-v1"

ASKING = 1.25  # what is said in a request says more about what is wanted
FIRST_REQUEST = 1.3
# How the lexicon's weights and the learnt log odds add up; judged on chats of another author than those learnt from.
OF_LEXICON = {"customer_intent": 0.2, "journey_stage": 0.3}
MAX_OF_LEXICON = {"customer_intent": 12.0, "journey_stage": 9.0}
NO_TERM = 1.5  # what speaks for OTHER when the lexicon knows nothing
JUDGED_MOOD, STRONG_COMPLAINT = 0.3, 1.5
MORE_COMPLAINTS = 0.3  # than among the chats that were learnt from, many of which are a line
STAGE_BY_INTENT = 0.5
TEMPERATURE = 1.0  # above 1 is more modest about the intent
MIN_SURE = 0.3  # below, the intent is OTHER: most such guesses are wrong
MAX_LENGTH = 10_000  # characters of a message that are read; WhatsApp sends 4,096 at most
SHOWN = 8  # terms of the lexicon in the notes; of learnt words half as many


class LexiconError(ValueError):
    """The lexicon cannot be read; the text names the place in it."""


class RulesClassifier:
    """The classifier of one lexicon.

    Attributes:
        labels: by field, the labels that it may name: those that it was trained on, whatever the taxonomy says.
        files: those of the lexicon and of the weights.
        model: "rules-v1".
        version: model and the first eight characters of a hash of the lexicon, the glossary, the learnt weights and the
            rules of effectiveness: another of them is another version.
    """

    model = MODEL

    def __init__(self, lexicon: Path = LEXICON, weights: Path = WEIGHTS) -> None:
        """Read a lexicon and learnt weights.

        Raises:
            LexiconError: a file is missing or is none, or one of the lexicon's terms cannot be read.
        """
        try:
            data, learnt = lexicon.read_bytes(), weights.read_bytes()
            content = yaml.safe_load(data)
            self._learnt = Learnt(learnt)
        except OSError as error:
            raise LexiconError(f"{Path(error.filename).name}: {error.strerror}") from None
        except yaml.YAMLError as error:
            raise LexiconError(f"{lexicon.name} is no YAML: {type(error).__name__}") from None
        except BadWeights as error:
            raise LexiconError(f"{weights.name}: {error}") from None
        self.files = (lexicon, weights)
        self.labels = {field: tuple(labels) for field, labels in self._learnt.labels.items()}
        self.cost_usd, self.classified_by = 0.0, {MODEL}
        of_all = hashlib.sha256(data + GLOSSARY.read_bytes() + learnt + effectiveness.VERSION)
        self.version = f"{MODEL}+{of_all.hexdigest()[:8]}"
        terms = _terms(content)
        customers = [term for term in terms if not term.label.startswith("agent:")]
        self._customer = CustomerReader(customers, self._learnt, spelling_of(terms, self._learnt))
        self._agent = AgentReader(term for term in terms if term.label.startswith("agent:"))

    def classify(self, conversation: Conversation) -> Categorization:
        """Categorize one chat."""
        read = self._read(conversation)
        most = _most(read.intents)
        intent = most if read.intents[most] >= MIN_SURE else "OTHER"
        stage = None if intent == "OTHER" else _most(self._stages(read))
        judged = sentiment.judge(read.conversation, read.evidence)
        mood = _most(_with_judgement(read.learnt["sentiment"], judged, read.evidence))
        agent = [self._agent.read(message.text) for message in read.conversation.agent]
        return Categorization(
            labels={"customer_intent": intent, "journey_stage": stage, "sentiment": mood},
            agent_quality_score=quality.score(read.conversation, agent),
            confidence_score=round(confidence.likely(self._features(read), self._learnt.confidence), 2),
            reasoning_notes=self._notes(intent, mood, read),
            effectiveness=effectiveness.judge(read.conversation, read.evidence, agent, mood),
        )

    def features(self, conversation: Conversation) -> dict[str, float]:
        """What `confidence` goes by in a chat."""
        return self._features(self._read(conversation))

    def _read(self, conversation: Conversation) -> "_Read":
        conversation = without_orders(conversation.cut(MAX_LENGTH))
        messages = [self._customer.read(message.text) for message in conversation.customer]
        rows, evidence = [one.words for one in messages], [one.evidence for one in messages]
        signals = cues.signals(conversation)
        learnt, terms = self._learnt.scores(rows, signals), _intent_scores(evidence)
        intents = _with_intent_terms(learnt["customer_intent"], terms)
        urgent = [place for place, one in enumerate(evidence) if place and "urgent" in one.found]
        if urgent:
            of_urgent = [rows[place] for place in urgent]
            again = _with_intent_terms(
                self._learnt.scores(of_urgent, signals)["customer_intent"],
                _intent_scores([evidence[place] for place in urgent]),
            )
            intents = {intent: score + again[intent] for intent, score in intents.items()}
        intents = _probabilities(intents)
        return _Read(conversation, rows, evidence, learnt, terms, intents)

    def _features(self, read: "_Read") -> dict[str, float]:
        is_known = {word.text: word.is_known for row in read.rows for word in row if word.is_spoken}
        return confidence.features(read.intents, read.terms, len(is_known), list(is_known.values()).count(False))

    def _stages(self, read: "_Read") -> dict[str, float]:
        found = {}
        for stage, score in read.learnt["journey_stage"].items():
            terms = {text: term for one in read.evidence for text, term in one.found.get(f"stage:{stage}", {}).items()}
            weight = min(sum(term.weight for term in terms.values()), MAX_OF_LEXICON["journey_stage"])
            of_intents = sum(share * self._learnt.stages[intent][stage] for intent, share in read.intents.items())
            found[stage] = score + OF_LEXICON["journey_stage"] * weight + STAGE_BY_INTENT * math.log(of_intents)
        return found

    def _notes(self, intent: str, mood: str, read: "_Read") -> str:
        wanted = [f"intent:{intent}", f"sentiment:{mood}"]
        terms = dict.fromkeys(
            text.lstrip("-") for label in wanted for one in read.evidence for text in one.found.get(label, {})
        )
        shown = list(terms)[:SHOWN]
        telling = self._learnt.telling(read.rows, "customer_intent", intent)
        told = list(islice((word for word in telling if not any(word in term for term in shown)), SHOWN // 2))
        return f"[Reglas, sin IA] términos: {', '.join(shown) or 'ninguno'}" + (
            f"; palabras: {', '.join(told)}" if told else ""
        )


@dataclass(frozen=True, slots=True)
class _Read:
    """A chat, read: its words and terms, and what speaks for which label."""

    conversation: Conversation
    rows: Rows  # the customer's words, by message
    evidence: Sequence[Evidence]  # likewise
    learnt: Mapping[str, Mapping[str, float]]
    terms: Mapping[str, float]  # by intent, what the lexicon says
    intents: Mapping[str, float]  # probabilities


def _terms(lexicon: Any) -> list[Term]:
    terms = []
    try:
        for group, prefix in (("intents", "intent"), ("stages", "stage"), ("sentiment", "sentiment")):
            for label, weights in lexicon[group].items():
                for weight, texts in weights.items():
                    terms += [parse(f"{prefix}:{label}", str(text), float(weight)) for text in texts]
        for group, label in (("sarcasm", "sarcasm"), ("requests", "request"), ("urgent", "urgent")):
            terms += [parse(label, str(text), 1) for text in lexicon.get(group, ())]
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


def _with_intent_terms(learnt: Mapping[str, float], terms: Mapping[str, float]) -> dict[str, float]:
    share, most = OF_LEXICON["customer_intent"], MAX_OF_LEXICON["customer_intent"]
    return {
        intent: score + share * min(max(terms.get(intent, 0), NO_TERM if intent == "OTHER" else 0), most)
        for intent, score in learnt.items()
    }


def _with_judgement(learnt: Mapping[str, float], judged: str, evidence: Sequence[Evidence]) -> dict[str, float]:
    complaint = sum(one.weight("sentiment:FRICTION") for one in evidence)
    weight = STRONG_COMPLAINT if judged == "FRICTION" and complaint >= sentiment.STRONG_COMPLAINT else JUDGED_MOOD
    return {
        mood: score + weight * (mood == judged) + MORE_COMPLAINTS * (mood == "FRICTION")
        for mood, score in learnt.items()
    }


def _probabilities(scores: Mapping[str, float]) -> dict[str, float]:
    highest = max(scores.values())
    odds = {label: math.exp((score - highest) / TEMPERATURE) for label, score in scores.items()}
    return {label: one / sum(odds.values()) for label, one in odds.items()}


def _most(scores: Mapping[str, float]) -> str:
    return max(scores, key=lambda label: (scores[label], label))
