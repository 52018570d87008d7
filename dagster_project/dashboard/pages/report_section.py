"""Pages of what one source alone has: a section of the report's view model, laid out as a page."""

from collections.abc import Iterable, Sequence
from typing import Any

from dagster_project.dashboard import charts
from dagster_project.dashboard.blocks import Card, Cards, Cell, HeatCell, Heatmap, Section, Table, Text
from dagster_project.dashboard.shown import Shown
from dagster_project.exports.report.view.charts import ViewModel
from dagster_project.exports.week import CELLS, MONDAY_FIRST


def page(shown: Shown, told: ViewModel | None, *, title: str, absent: str) -> list[Section]:
    """The page of a section of the report; where there is none, its title and why.

    Args:
        title: the key of its title.
        absent: the key of the text that says why there is nothing.
    """
    say = shown.say
    if not told:
        return [Section(say.text(title), [Text([say.text(absent)])])]
    sections = [Section(told["title"], [Cards(list(_cards(told["tiles"])))], intro=told["caption"])]
    if told["findings"]:
        sections.append(Section(say.text("findings"), [Text(told["findings"])]))
    sections += [Section(chart["title"], [charts.columns(chart)]) for chart in told["charts"]]
    sections += [Section(one["title"], [_heatmap(one, shown)]) for one in told["heatmaps"]]
    for one in told["tables"]:
        sections.append(Section(one["title"], [table(one, tuple(range(one["texts"])))], intro=one["caption"]))
    return sections


def table(told: dict[str, Any], texts: tuple[int, ...]) -> Table:
    """A table of the view model; `texts` are the columns that hold no numbers."""
    rows = [[Cell(text) for text in row] for row in told["rows"]]
    return Table(told["title"], told["columns"], rows, texts=texts, is_caption_shown=False)


def _cards(tiles: Sequence[ViewModel]) -> Iterable[Card]:
    for tile in tiles:
        yield Card(
            tile["label"],
            "–" if tile["empty"] else tile["value"],
            tile["made_of"],
            tile["empty"],
            tile["change"],
            tile["verdict"],
            tile["before"],
        )


def _heatmap(told: ViewModel, shown: Shown) -> Heatmap:
    say = shown.say
    return Heatmap(
        told["title"],
        say.text("heatmap.day"),
        [say.weekday(day, long=True) for day in MONDAY_FIRST],
        [
            [
                HeatCell(cell["text"], cell["shade"], _hover(place, cell["text"], shown))
                for cell, place in zip(row, CELLS[start : start + 24], strict=True)
            ]
            for row, start in zip(told["rows"], range(0, 168, 24), strict=True)
        ],
        [(entry["shade"], entry["label"]) for entry in told["legend"]],
        "volume",
    )


def _hover(place: tuple[int, int], text: str, shown: Shown) -> str:
    day, hour = place
    return f"{shown.say.weekday(day, long=True)} {hour:02}:00–{hour + 1:02}:00: {text}" if text else ""
