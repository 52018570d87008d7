"""The words of the rules for what others call it: Spanish of other countries, and English, phrase by phrase.

Whether a message is in English its small words tell, which no Spanish has; a greeting alone is none.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

GLOSSARY = Path(__file__).with_name("glossary.yml")
ENGLISH_FROM = 0.3  # share of a message's words that are small English ones
MIN_WORDS = 2  # of them in a longer message
SHORT = 3  # words; in such a message one is enough

_Phrases = Mapping[str, Sequence[tuple[Sequence[str], Sequence[str]]]]  # first word -> (phrase, its meaning)


def meant(said: Sequence[str]) -> Sequence[str]:
    """A message's words, folded, with those of the glossary in place of what they stand for."""
    known = set(said)
    if _is_english(said, known):
        return _replaced(said, _ENGLISH)
    return said if known.isdisjoint(_EVERYWHERE) else _replaced(said, _EVERYWHERE)


def _is_english(said: Sequence[str], known: set[str]) -> bool:
    small = known & _SMALL_WORDS
    if not small:
        return False
    spoken = [word for word in said if word[0].isalpha()]
    share = sum(word in small for word in spoken) / len(spoken)
    return share >= ENGLISH_FROM and (len(small) >= MIN_WORDS or len(spoken) <= SHORT)


def _replaced(said: Sequence[str], phrases: _Phrases) -> list[str]:
    found: list[str] = []
    done = 0
    for at, word in enumerate(said):
        if at >= done and word in phrases:
            for phrase, meaning in phrases[word]:
                if said[at : at + len(phrase)] == phrase:
                    found += said[done:at]
                    found += meaning
                    done = at + len(phrase)
                    break
    return [*found, *said[done:]]


def _phrases(written: Mapping[str, str]) -> _Phrases:
    """By first word, the longest first."""
    found: dict[str, list[tuple[Sequence[str], Sequence[str]]]] = {}
    for phrase, meaning in sorted(written.items(), key=lambda item: -item[0].count(" ")):
        parts = phrase.split()
        found.setdefault(parts[0], []).append((parts, meaning.split()))
    return found


_content = yaml.safe_load(GLOSSARY.read_bytes())
_SMALL_WORDS = frozenset(_content["small_english_words"].split())
_EVERYWHERE, _ENGLISH = _phrases(_content["everywhere"]), _phrases(_content["english"])
