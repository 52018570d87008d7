"""The languages of reports and exports."""

from typing import Literal

Language = Literal["es", "en"]
LANGUAGES: tuple[Language, ...] = ("es", "en")


def place_of(language: Language) -> int:
    """The place of a language's words in a pair."""
    return LANGUAGES.index(language)
