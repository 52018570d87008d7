"""A text in lower case, without accents and unseen characters, its look-alike letters and digits made plain.

Whoever hides a number writes it in full-width digits, emoji, circles or with zero-width characters in between.
Detectors read the plain text; `Plain.origin` leads from each of its characters back to the text.
"""

import unicodedata
from dataclasses import dataclass

LOOK_ALIKE_LETTERS = dict(zip("авеғкмнорстухіјѕԁԛԝαεικνορτυχωıɡ", "abefkmhopctyxijsdqwaeiknoptuxwig", strict=True))
_WRITTEN_OUT = {"º": "°", "ª": "°", "ø": "o", "đ": "d", "ł": "l", "ß": "ss", "🔟": "10", "\u2800": " ", "\u3164": " "}


@dataclass(frozen=True, slots=True)
class Plain:
    """The plain text, and for each of its characters the place in the text that it comes from."""

    text: str
    origin: range | list[int]
    length: int  # of the text

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where in the text the characters from `start` to `end` stand, with the unseen characters between them."""
        return self.origin[start], self.origin[end - 1] + 1


def plain(text: str) -> Plain:
    """The plain form of a text."""
    if text.isascii():
        return Plain(text.lower().translate(_CONTROLS), range(len(text)), len(text))
    characters, origin = [], []
    for place, character in enumerate(text):
        written = _CHARACTERS[character]
        characters.append(written)
        origin += [place] * len(written)
    return Plain("".join(characters), origin, len(text))


class _Characters(dict[str, str]):
    """Each character's plain form, worked out when it is met first."""

    def __missing__(self, character: str) -> str:
        self[character] = written = _written(character)
        return written


def _written(character: str) -> str:
    if character in "\n\t" or character in _WRITTEN_OUT:
        return _WRITTEN_OUT.get(character, character)
    category = unicodedata.category(character)
    if category in {"Mn", "Me", "Cf", "Cc", "Cn", "Co", "Cs"}:
        return " " if character == "\r" else ""
    if category[0] == "Z":
        return "\n" if category in {"Zl", "Zp"} else " "
    if category == "Pd" or character in "−⁃":
        return "-"
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    lowered = LOOK_ALIKE_LETTERS.get(character.lower(), character.lower())
    letters = unicodedata.normalize("NFKD", lowered).lower()
    return "".join(
        LOOK_ALIKE_LETTERS.get(one, one) for one in letters if unicodedata.category(one) not in {"Mn", "Me", "Cf"}
    )


_CHARACTERS = _Characters()
_CONTROLS = dict.fromkeys((*range(9), *range(11, 32), 127), " ")
