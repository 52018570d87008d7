"""What orders to a machine look like: patterns, and the words without which none of them can be there.

The patterns take long, and most messages hold none of these words. So words come first: they are looked up one by one.
A text is compared in lower case, without accents; a word may be written in look-alike letters.
"""

import re
from collections import defaultdict
from functools import lru_cache, reduce
from operator import or_

from dagster_project.analysis.personal.plain import LOOK_ALIKE_LETTERS

# Digits stand for letters too.
LOOK_ALIKE = str.maketrans(LOOK_ALIKE_LETTERS | dict(zip("0134", "oiea", strict=True)))

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

# Groups of words, `*` for all that begin so; TAG is no word.
_TAG = "tag"
_WORDS = {
    "forget": "ignor* olvid* descart* desobedec* omit* disregard forget override bypass",
    "rules": "instruc* regla* directrices ordenes indicaciones prompt rule* guideline* directions",
    "new": "nuevas new",
    "note": "nota instruc* mensaje note message orden",
    "machine": "claude chatgpt gpt llm ia ai inteligencia modelo language clasificador",
    "answer": "califi* clasifi* debes tienes respond* devuelv* must rate score classify answer return",
    "developer": "prompt jailbreak developer desarrollador",
    "give": "califi* puntua* rate score",
    "mark": "calificacion* puntaje* puntuacion* nota* score* rating* quality*",
    "top": "10 diez ten maxim* perfect*",
    "class": "clasific* marc* etiquet* classify label mark",
    "class name": "positiv* friction neutral project_info post_purchase active_buyer prospect",
    "field": "customer_intent journey_stage agent_quality* reasoning_notes resolution_score customer_satisfaction "
    "project_info post_purchase active_buyer",
    "json field": "sentiment confidence categories effectiveness intent",
    "inst": "inst",
    "role": "system assistant human developer",
}

# Each kind of order: the groups of which it holds a word, and its pattern.
KINDS = (
    # Forget what you were told.
    (
        ("forget", "rules"),
        rf"\b(?:ignor\w*|olvid\w*|descart\w*|desobedec\w*|omit\w*|disregard|forget|override|bypass)\b[^.?!\n]{{0,25}}"
        rf"(?:\b{_EARLIER}\b[^.?!\n]{{0,20}}\b{_RULES}\b|\b{_RULES}\b[^.?!\n]{{0,10}}\b{_EARLIER}\b)",
    ),
    (("new", "rules"), rf"\b(?:nuevas|new)\s+{_RULES}\s*:"),
    # To whom it speaks.
    (
        ("note", "machine"),
        r"\b(?:nota|instruc\w+|mensaje|note|message|orden)\s+(?:para|al?|to|for)\s+"
        rf"(?:el |la |the |un |una )?{_MACHINE}\b",
    ),
    (
        ("machine", "answer"),
        r"\b(?:si eres|como|actua como|act as|you are|as an?|if you are)\s+(?:un |una |an? |the )?"
        rf"{_MACHINE}\b[^.?!\n]{{0,60}}\b{_ANSWER}\b",
    ),
    (("machine", "answer"), rf"\b{_MACHINE}\s*[,:][^.?!\n]{{0,30}}\b{_ANSWER}\b"),
    (
        ("developer",),
        r"\b(?:system prompt|prompt del sistema|prompt injection|jailbreak|developer mode|modo desarrollador)\b",
    ),
    # What it should say.
    (
        ("give", "top"),
        rf"\b(?:califi(?:ca|que|quen|car|quelo|calo)|puntua\w*|rate|score)\b(?:\s+(?!{_SCALE}|para\b|si\b|for\b)[\w,:]+){{0,5}}"
        rf"\s+{_TOP}\b(?!\s*(?:(?:a|al|to|-)\s*\d|%|mil|dias|anos|salarios|puntos|dolares|de\b|para\b|credito|subsidio))",
    ),
    (("mark", "top"), rf"\b{_MARK}\s*(?:del agente|del asesor|of the agent)?\s*[:=]\s*\"?{_TOP}\b"),
    (
        ("class", "class name"),
        r"\b(?:clasific\w+|marc\w+|etiquet\w+|classify|label|mark)\b[^.?!\n]{0,40}"
        r"\b(?:positiv[ao]|positive|friction|neutral|project_info|post_purchase|active_buyer|prospect)\b",
    ),
    (("field",), rf"\b{_LABEL}\b|\b(?:project_info|post_purchase|active_buyer)\b"),
    (("json field",), r"\"(?:sentiment|confidence|categories|effectiveness|intent)\"\s*:"),
    # Tags of prompts and roles.
    ((_TAG,), r"<\s*/?\s*(?:chat|system|assistant|user|human|instruc\w+|prompt)(?:_[\w-]+)?\s*>"),
    ((_TAG,), r"<\|\s*\w+\s*\|>|<</?sys>>|```\s*(?:json|system)"),
    (("inst",), r"\[/?inst\]"),
    (("role",), r"(?:^|\n)\s*(?:#+\s*)?(?:system|assistant|human|developer)\s*:"),
)

ORDER = re.compile("|".join(pattern for _, pattern in KINDS))

_FIRST = 4  # letters that the shortest beginning has
_WORD = re.compile(r"\w+")
_REMEMBERED, _LONGEST_REMEMBERED = 50_000, 40  # how many of how many characters
_without_group: set[str] = set()  # what was met between two spaces, and is in no group: most of what people write
_BITS = {group: 1 << place for place, group in enumerate((_TAG, *_WORDS))}
_NEEDED = sorted({sum(_BITS[group] for group in groups) for groups, _ in KINDS})


def groups(plain: str) -> int:
    """The groups of words that are in a text, a bit each. Those of several texts in one are the bits of all."""
    found = _BITS[_TAG] if "<" in plain or "`" in plain else 0
    for part in set(plain.split()).difference(_without_group):
        if of_part := _groups_of_part(part):
            found |= of_part
        elif len(part) <= _LONGEST_REMEMBERED:
            if len(_without_group) >= _REMEMBERED:
                _without_group.clear()
            _without_group.add(part)
    return found


@lru_cache
def can_be_order(groups: int) -> bool:
    """Whether there may be an order in a text with such words."""
    return groups != 0 and any(groups & needed == needed for needed in _NEEDED)


def _by_word() -> tuple[dict[str, int], dict[str, list[tuple[str, int]]]]:
    """The groups of whole words; and by their first letters, beginnings and their groups."""
    whole, beginnings = defaultdict[str, int](int), defaultdict[str, list[tuple[str, int]]](list)
    for group, words in _WORDS.items():
        for word in words.split():
            if word[-1] == "*":
                beginnings[word[:_FIRST]].append((word[:-1], _BITS[group]))
            else:
                whole[word] |= _BITS[group]
    return dict(whole), dict(beginnings)


_GROUPS, _GROUPS_OF_BEGINNINGS = _by_word()


def _groups_of_part(part: str) -> int:
    if part.isascii() and part.isalnum():  # one word
        return _groups_of_form(part) if part.isalpha() else _groups_of(part)
    return reduce(or_, map(_groups_of, _WORD.findall(part)), 0)


def _groups_of(word: str) -> int:
    unmasked = word.translate(LOOK_ALIKE)
    return _groups_of_form(word) | (_groups_of_form(unmasked) if unmasked != word else 0)


def _groups_of_form(word: str) -> int:
    found = _GROUPS.get(word, 0)
    for beginning, groups in _GROUPS_OF_BEGINNINGS.get(word[:_FIRST], ()):
        if word.startswith(beginning):
            found |= groups
    return found
