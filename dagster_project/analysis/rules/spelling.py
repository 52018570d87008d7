"""Slips of the finger: a word that nobody knows, one letter away from a single word that many wrote.

The first letter is taken to be right: "Marcela" is no slip of "parcela".
"""

from collections import defaultdict
from collections.abc import Callable, Iterable

MIN_LENGTH = 6  # letters of a word that is put right: of shorter ones too many are near
MAX_LENGTH = 16


class Spelling:
    """Puts words right, in time that does not grow with how many are known."""

    def __init__(self, common: Iterable[str], is_known: Callable[[str], bool]) -> None:
        """Take the words that are meant where there is a slip, as `spanish.words` gives them, and which are none."""
        self._is_known, self._near = is_known, defaultdict[str, set[str]](set)
        for word in common:
            if MIN_LENGTH - 1 <= len(word) <= MAX_LENGTH and word.isalpha():
                for form in _shorter(word):
                    self._near[form].add(word)

    def right(self, word: str) -> str:
        """The known word that is meant; the same where there is none, or more than one."""
        if not MIN_LENGTH <= len(word) <= MAX_LENGTH or not word.isalpha() or self._is_known(word):
            return word
        forms = filter(self._near.__contains__, _shorter(word))
        near = {one for form in forms for one in self._near[form] if _one_slip(word, one)}
        return near.pop() if len(near) == 1 else word


def _shorter(word: str) -> list[str]:
    """The word, and what is left of it without one letter."""
    return [word, *[word[:place] + word[place + 1 :] for place in range(len(word))]]


def _one_slip(one: str, other: str) -> bool:
    """Whether a letter more, less or other, or two changed places, make one of the other."""
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    a, b = one[start:], other[start:]
    return start > 0 and (a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:]))
