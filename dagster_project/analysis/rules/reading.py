"""Reading messages: the words that were meant, and the terms of the lexicon among them.

A word is worked out when it is met first: how it sounds, what it stands for, which terms begin with it, what it weighs.
So is a message, where it is short: greetings and what machines write come again and again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain

from dagster_project.analysis.rules import learnt, terms
from dagster_project.analysis.rules.evidence import Evidence, evidence_of
from dagster_project.analysis.rules.learnt import Learnt
from dagster_project.analysis.rules.memo import Memo
from dagster_project.analysis.rules.spanish import spoken, written
from dagster_project.analysis.rules.spelling import Spelling
from dagster_project.analysis.rules.terms import Finder, Term

WORDS = 15_000
MESSAGES = 2_000
SHORT = 300  # characters of a message that is kept


@dataclass(frozen=True, slots=True)
class Message:
    """A customer's message that was read: its words, each as what was learnt of it, and the terms in it."""

    words: Sequence[learnt.Word]
    evidence: Evidence


class CustomerReader:
    """Reads what customers write; slips of the finger are put right."""

    def __init__(self, lexicon: Iterable[Term], learnt: Learnt, spelling: Spelling) -> None:
        self._finder, self._learnt, self._spelling = Finder(lexicon), learnt, spelling
        self._words = Memo(self._word, WORDS)
        self._meant = Memo(self._words_meant, WORDS)
        self._messages = Memo(self._read, MESSAGES)

    def read(self, text: str) -> Message:
        """The words and the terms of a message."""
        return self._messages[text] if len(text) <= SHORT else self._read(text)

    def _read(self, text: str) -> Message:
        both = zip(*chain.from_iterable(map(self._meant.__getitem__, written(text))), strict=True)
        by_terms, by_weight = next(both, ()), next(both, ())
        return Message(by_weight, evidence_of(self._finder, by_terms))

    def _word(self, word: str) -> tuple[terms.Word, learnt.Word]:
        return self._finder.word(word), self._learnt.word(word)

    def _words_meant(self, word: str) -> list[tuple[terms.Word, learnt.Word]]:
        if word[0].isdigit():  # most are new, and none is a slip of another
            return [self._word(word)]
        return [self._words[self._spelling.right(one)] for one in spoken(word)]


class AgentReader:
    """Reads what is written to customers."""

    def __init__(self, lexicon: Iterable[Term]) -> None:
        self._finder = Finder(lexicon)
        self._words = Memo(self._words_of, WORDS)
        self._messages = Memo(self._read, MESSAGES)

    def read(self, text: str) -> Evidence:
        """The terms of a message."""
        return self._messages[text] if len(text) <= SHORT else self._read(text)

    def _read(self, text: str) -> Evidence:
        return evidence_of(self._finder, list(chain.from_iterable(map(self._words.__getitem__, written(text)))))

    def _words_of(self, word: str) -> list[terms.Word]:
        return list(map(self._finder.word, spoken(word)))


def spelling_of(lexicon: Iterable[Term], learnt: Learnt) -> Spelling:
    """A speller who takes the words of the lexicon and of the labelled chats for right."""
    options = [part for term in lexicon for part in term.parts if part]
    whole = {word for one in options for word in one.whole}
    beginnings = {word for one in options for word in one.beginnings}

    def is_known(word: str) -> bool:
        return word in whole or learnt.knows(word) or not beginnings.isdisjoint(accumulate(word))

    return Spelling({*whole, *learnt.common}, is_known)
