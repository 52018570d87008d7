"""The one place that makes markdown for the Dagster UI: tables and pictures. What others wrote is shown, never obeyed.

The names of agents, departments and tags come from outside: none of them may become a link, a picture or a tag in the
browser of who reads the run.
"""

import base64
import re
from collections.abc import Iterable, Sequence

import dagster as dg

_SPECIAL = re.compile(r"([\\`*\[\]<>|~&#!]|(?<![^\W_])_|_(?![^\W_]))")  # _ inside a word means nothing
# The UI's renderer makes links of bare addresses after it has undone the escapes: only a character in between stops it.
_ADDRESS = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?<=@)", re.IGNORECASE)
_WORD_JOINER = "\u2060"  # has no width


def escaped(value: object) -> str:
    """A value as plain text in one line: no markup, no HTML, no links of it take effect."""
    line = " ".join("".join(character if character.isprintable() else " " for character in str(value)).split())
    return _SPECIAL.sub(r"\\\1", _ADDRESS.sub(_WORD_JOINER, line))


def table(
    header: Sequence[str], rows: Iterable[Sequence[object]], *, above: str = "", numbers: Sequence[int] = ()
) -> dg.MarkdownMetadataValue:
    """A table of plain text.

    Args:
        above: a line over it.
        numbers: places of the columns that are aligned to the right.
    """
    rules = ["---:" if place in numbers else "---" for place in range(len(header))]
    lines = [_line(map(escaped, header)), _line(rules), *(_line(map(escaped, row)) for row in rows)]
    return dg.MetadataValue.md("\n".join([escaped(above), "", *lines] if above else lines))


def picture(name: str, png: bytes) -> dg.MarkdownMetadataValue:
    """A picture, held in the text itself: the UI shows it in place below a thousand characters, else behind a link."""
    return dg.MetadataValue.md(f"![{escaped(name)}](data:image/png;base64,{base64.b64encode(png).decode()})")


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
