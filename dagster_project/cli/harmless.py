"""Texts of strangers on a terminal: names, messages and errors that quote them cannot steer it, nor hide anything."""

import unicodedata
from dataclasses import dataclass
from typing import Any

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook, RenderResult
from rich.segment import Segment


def harmless_console(**options: Any) -> Console:
    """A console that shows as · what would steer a terminal or is not seen, whatever prints it. Its own styles stay."""
    console = Console(highlight=False, **options)
    console.push_render_hook(_Harmless())
    return console


def visible(text: str) -> str:
    """A text with · for each character that would steer a terminal, or is not seen."""
    return "".join(
        "·" if unicodedata.category(character) in {"Cc", "Cf", "Co", "Cs"} and character not in "\n\t" else character
        for character in text
    )


class _Harmless(RenderHook):
    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Shown(one) for one in renderables]


@dataclass(frozen=True)
class _Shown:
    what: ConsoleRenderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self.what, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)
