"""What a page is made of, ready to print: `templates/blocks.html` lays each kind out. Charts hold percentages."""

from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True)
class Card:
    """A figure with what it is made of, and how it was before. `verdict` is better, worse, same or none.

    `spark_ends` says from when to when the small line goes.
    """

    label: str
    value: str
    below: str = ""
    is_empty: bool = False
    change: str = ""
    verdict: str = "none"
    before: str = ""
    spark: "Line | None" = None
    spark_ends: tuple[str, str] | None = None


@dataclass(frozen=True)
class Cards:
    """Figures beside each other."""

    kind: ClassVar[str] = "cards"
    cards: list[Card]


@dataclass(frozen=True)
class Cell:
    """A cell of a table. `share` draws a bar behind the text, `goal` a mark on it; a `mark` says what colour would."""

    text: str
    href: str = ""
    share: float | None = None
    goal: float | None = None
    mark: str = ""
    note: str = ""


@dataclass(frozen=True)
class Table:
    """A table; the first column names the row. `texts` are the columns that hold no numbers."""

    kind: ClassVar[str] = "table"
    caption: str
    heads: list[str]
    rows: list[list[Cell]]
    texts: tuple[int, ...] = (0,)
    note: str = ""
    empty: str = ""
    is_caption_shown: bool = True


@dataclass(frozen=True)
class HeatCell:
    """A weekday × hour: what is written in it, its shade from 0 (none) to 5, what it says, and where it leads."""

    text: str
    shade: int
    title: str = ""
    href: str = ""
    is_small_sample: bool = False


@dataclass(frozen=True)
class Heatmap:
    """Seven days by 24 hours. `scale` is waits or volume."""

    kind: ClassVar[str] = "heatmap"
    caption: str
    corner: str
    days: list[str]
    rows: list[list[HeatCell]]
    legend: list[tuple[int, str]]
    scale: str
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Bar:
    """A column of a chart, in percent of its width and height."""

    x: float
    width: float
    height: float
    label: str
    text: str
    is_strong: bool = True
    is_labelled: bool = True


@dataclass(frozen=True)
class Columns:
    """A chart of columns; `alt` is the chart told in words."""

    kind: ClassVar[str] = "columns"
    title: str
    alt: str
    bars: list[Bar]
    note: str = ""


@dataclass(frozen=True)
class Line:
    """A line of a chart: its points in percent, cut where there is no data."""

    name: str
    pieces: list[list[tuple[float, float]]]


@dataclass(frozen=True)
class Lines:
    """A chart of lines. `ticks` are heights in percent with their labels, `labels` places in percent with theirs."""

    kind: ClassVar[str] = "lines"
    title: str
    alt: str
    lines: list[Line]
    ticks: list[tuple[float, str]]
    labels: list[tuple[float, str]]
    goal: tuple[float, str] | None = None
    note: str = ""


@dataclass(frozen=True)
class Part:
    """A part of a bar that is 100 % wide, and its shade from 1 to 5."""

    shade: int
    x: float
    width: float
    text: str
    label: str


@dataclass(frozen=True)
class Stacks:
    """Bars that are 100 % wide, by their parts."""

    kind: ClassVar[str] = "stacks"
    title: str
    labels: list[str]
    rows: list[tuple[str, str, list[Part]]]
    note: str = ""


@dataclass(frozen=True)
class Text:
    """Sentences, one below the other; several of them are a list."""

    kind: ClassVar[str] = "text"
    sentences: list[str]
    is_warning: bool = False


@dataclass(frozen=True)
class Facts:
    """Names and what they are."""

    kind: ClassVar[str] = "facts"
    facts: list[tuple[str, str]]


@dataclass(frozen=True)
class Section:
    """A part of a page; with `is_split` its blocks stand beside each other where there is room."""

    title: str
    blocks: list[Any]
    intro: str = ""
    is_split: bool = False
