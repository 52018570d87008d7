"""Text in a chat that is aimed at the machine that reads it: orders to ignore its rules, labels it should give, tags.

Customers and agents may both write it; an agent gains from "calificación 10". A flag changes no label: it puts the chat
before a person. Words are compared without accents, invisible characters and look-alike letters; a survey's scale ("de
1 a 5, ¿cómo califica…?") and everyday Spanish ("ignore el mensaje anterior") are no orders to a machine.
"""

import re
import unicodedata
from bisect import bisect_left
from dataclasses import replace
from itertools import groupby

from dagster_project.analysis.conversation import Conversation
from dagster_project.analysis.personal.plain import LOOK_ALIKE_LETTERS

# Digits stand for letters too.
_LOOK_ALIKE = str.maketrans(LOOK_ALIKE_LETTERS | dict(zip("0134", "oiea", strict=True)))
# Letters that are not seen; a few of them after a black flag are the flag of a region.
_TAG_SIGNS = re.compile("(?:^|[^\U0001f3f4\U000e0020-\U000e007f])[\U000e0020-\U000e007e]{4,}")

_SENTENCE_ENDS = re.compile(r"(?<=[.!?])\s+|\n+")
_MACHINE = (
    r"(?:claude|chat ?gpt|gpt|llm|ia|ai|inteligencia artificial|modelo de (?:lenguaje|ia)|language model|clasificador)"
)
_LABEL = r"(?:customer_intent|journey_stage|agent_quality\w*|reasoning_notes|resolution_score|customer_satisfaction)"
_RULES = r"(?:instruc\w+|reglas?|directrices|ordenes|indicaciones|prompt|rules?|guidelines?|directions)"
_EARLIER = r"(?:anterior\w*|previ\w+|tus|sus|tod[ao]s?|del sistema|of the system|above|prior|earlier|all|your|any)"
_ANSWER = r"(?:califi\w+|clasifi\w+|debes|tienes que|respond\w+|devuelv\w+|must|rate|score|classify|answer|return)"
_MARK = r"(?:calificacion|puntaje|puntuacion|nota|score|rating|quality)"
_TOP = r"(?:10|diez|ten|maxim[ao]|perfect[ao]?)"
_SCALE = r"(?:1|uno|one)\s*(?:a|al|to|-)\s*\d"
_ORDERS = re.compile(
    "|".join(
        (
            # Forget what you were told.
            rf"\b(?:ignor\w*|olvid\w*|descart\w*|desobedec\w*|omit\w*|disregard|forget|override|bypass)\b[^.?!\n]{{0,25}}"
            rf"(?:\b{_EARLIER}\b[^.?!\n]{{0,20}}\b{_RULES}\b|\b{_RULES}\b[^.?!\n]{{0,10}}\b{_EARLIER}\b)",
            rf"\b(?:nuevas|new)\s+{_RULES}\s*:",
            # To whom it speaks.
            r"\b(?:nota|instruc\w+|mensaje|note|message|orden)\s+(?:para|al?|to|for)\s+"
            rf"(?:el |la |the |un |una )?{_MACHINE}\b",
            r"\b(?:si eres|como|actua como|act as|you are|as an?|if you are)\s+(?:un |una |an? |the )?"
            rf"{_MACHINE}\b[^.?!\n]{{0,60}}\b{_ANSWER}\b",
            rf"\b{_MACHINE}\s*[,:][^.?!\n]{{0,30}}\b{_ANSWER}\b",
            r"\b(?:system prompt|prompt del sistema|prompt injection|jailbreak|developer mode|modo desarrollador)\b",
            # What it should say.
            rf"\b(?:califi(?:ca|que|quen|car|quelo|calo)|puntua\w*|rate|score)\b(?:\s+(?!{_SCALE}|para\b|si\b|for\b)[\w,:]+){{0,5}}"
            rf"\s+{_TOP}\b(?!\s*(?:(?:a|al|to|-)\s*\d|%|mil|dias|anos|salarios|puntos|dolares|de\b|para\b|credito|subsidio))",
            rf"\b{_MARK}\s*(?:del agente|del asesor|of the agent)?\s*[:=]\s*\"?{_TOP}\b",
            r"\b(?:clasific\w+|marc\w+|etiquet\w+|classify|label|mark)\b[^.?!\n]{0,40}"
            r"\b(?:positiv[ao]|positive|friction|neutral|project_info|post_purchase|active_buyer|prospect)\b",
            rf"\b{_LABEL}\b|\b(?:project_info|post_purchase|active_buyer)\b",
            r"\"(?:sentiment|confidence|categories|effectiveness|intent)\"\s*:",
            # Tags of prompts and roles.
            r"<\s*/?\s*(?:chat|system|assistant|user|human|instruc\w+|prompt)(?:_[\w-]+)?\s*>",
            r"<\|\s*\w+\s*\|>|\[/?inst\]|<</?sys>>|```\s*(?:json|system)",
            r"(?:^|\n)\s*(?:#+\s*)?(?:system|assistant|human|developer)\s*:",
        )
    )
)


def suspected(conversation: Conversation) -> bool:
    """Whether what either side wrote in one go, in one message or several, looks like an order to a machine."""
    turns = groupby(conversation.messages, key=lambda message: message.incoming)
    return any(_is_order_in(*(message.text for message in turn)) for _, turn in turns)


def is_order(text: str) -> bool:
    """Whether a text looks like an order to a machine that reads it."""
    plain = _tidy(unicodedata.normalize("NFKD", text).translate(_PLAIN).lower())
    unmasked = plain.translate(_LOOK_ALIKE)
    return bool(_ORDERS.search(plain) or (unmasked != plain and _ORDERS.search(unmasked)) or _TAG_SIGNS.search(text))


def without_orders(conversation: Conversation) -> Conversation:
    """The chat without the sentences that are orders to a machine: for a reader that only weighs words."""
    texts = [_without_orders(one.text) for one in conversation.messages]
    if all(text is one.text for text, one in zip(texts, conversation.messages, strict=True)):
        return conversation
    return Conversation(tuple(replace(one, text=text) for text, one in zip(texts, conversation.messages, strict=True)))


def _without_orders(text: str) -> str:
    if not is_order(text):
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


def _is_order_in(*texts: str) -> bool:
    return any(map(is_order, texts)) or (len(texts) > 1 and is_order(" ".join(texts)))


class _Plain(dict[int, str]):
    """Each sign as it is, or nothing for accents and for what is not seen; worked out when it is met first."""

    def __missing__(self, code: int) -> str:
        sign = chr(code)
        self[code] = "" if unicodedata.category(sign) in {"Mn", "Cf", "Cc"} and sign not in "\n\t" else sign
        return self[code]


_PLAIN = _Plain()
