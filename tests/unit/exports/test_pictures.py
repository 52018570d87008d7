"""The heatmap's picture and its numbers, as people see them."""

import base64
import inspect
import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from rich.console import Console

from dagster_project.cli import render
from dagster_project.cli.commands import marts
from dagster_project.exports.pictures.growth import Growth
from dagster_project.exports.pictures.growth import picture as growth_picture
from dagster_project.exports.pictures.heatmap import COLOURS, DIRECTIONS, Cell, Heatmap, picture, read, short
from dagster_project.orchestration.assets.heatmap import PictureConfig
from tests.support.png import decode


@pytest.fixture
def heatmap() -> Heatmap:
    """Thursday 14h fast with 3 chats, Sunday 23h slow with 1, the rest empty."""
    empty = {(day, hour): Cell(day, hour, 0, None, None, None, "no_data") for day in range(7) for hour in range(24)}
    return Heatmap(
        date(2026, 1, 5),
        "all",
        "all",
        "all",
        empty
        | {
            (4, 14): Cell(4, 14, 3, 60.0, 50.0, 90.0, "fast"),
            (0, 23): Cell(0, 23, 1, 7200.0, 7200.0, 7200.0, "slow"),
        },
        4,
        1845.0,
        5,
        None,
        None,
    )


def test_the_picture_shows_each_cell_in_the_colour_of_its_band_monday_on_top(heatmap: Heatmap) -> None:
    pixels = decode(picture(heatmap, cell=14))
    margin = len(pixels) - 7 * 14

    def colour(row: int, hour: int) -> tuple[int, int, int]:
        return pixels[margin + row * 14 + 6][margin + hour * 14 + 6]

    assert colour(3, 14) == COLOURS["fast"]
    assert colour(6, 23) == COLOURS["slow"]
    assert colour(0, 0) == COLOURS["no_data"]


def test_the_picture_is_small_enough_to_be_shown_inline_in_the_ui(heatmap: Heatmap) -> None:
    worst = {
        key: Cell(*key, 1, 1.0, 1.0, 1.0, ("fast", "average", "slow")[(key[0] * 7 + key[1] * 5 + 1) % 11 % 3])
        for key in heatmap.cells
    }
    for cells in (heatmap.cells, worst):
        png = picture(replace(heatmap, cells=cells), cell=14)
        assert len(f"![heatmap](data:image/png;base64,{base64.b64encode(png).decode()})") < 1000


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "·"),
        (0, "0s"),
        (99, "99s"),
        (100, "2m"),
        (5940, "99m"),
        (7200, "2h"),
        (356400, "99h"),
        (1_550_900, "18d"),
    ],
)
def test_a_duration_takes_at_most_three_signs(seconds: float | None, text: str) -> None:
    assert short(seconds) == text


@pytest.mark.parametrize("width", [80, 200])
def test_the_terminal_shows_168_cells_at_any_width(heatmap: Heatmap, width: int) -> None:
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    render.print_heatmap(console, heatmap)
    shown = console.export_text()
    rows = [line for line in shown.splitlines() if re.match(r"(Lun|Mar|Mié|Jue|Vie|Sáb|Dom|\d\d)  ", line)]
    assert len(rows) == (24 if width == 80 else 7)  # in one piece, the hours downwards where 24 columns are too wide
    assert sum(line.count("·") for line in rows) == 166
    assert all(len(line.rstrip()) <= width for line in shown.splitlines())
    assert "4 answered chats" in shown


def test_heatmaps_are_of_chats_that_customers_began_unless_one_asks_for_others() -> None:
    assert PictureConfig().direction_filter == "incoming"
    assert [inspect.signature(of).parameters["direction"].default for of in (read, marts.heatmap)] == ["incoming"] * 2


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_terminal_names_whose_chats_it_shows(heatmap: Heatmap, direction: str) -> None:
    console = Console(width=200, record=True)
    render.print_heatmap(console, replace(heatmap, direction_filter=direction))
    told = " ".join(console.export_text().split())
    assert f"direction: {direction}" in told
    assert ("of chats that customers began (" in told) == (direction == "incoming")


def test_the_picture_of_growth_goes_from_the_known_days_along_the_line_to_the_threshold() -> None:
    """Ten days at a million a day, from 1 to 10 million; at 20 million in ten more days."""
    days = {date(2026, 11, 1) + timedelta(days=number): (number + 1) * 1_000_000 for number in range(10)}
    growth = Growth("raw", "chats", days, 1_000_000.0, [(20_000_000, date(2026, 11, 20))])
    png = growth_picture(growth, width=260, height=100)
    rows = decode(png)
    points, line, threshold = (69, 137, 196), (158, 202, 225), (215, 48, 39)
    columns = [x for x in range(260) if any(row[x] == points for row in rows)]
    assert min(columns) < 30 and 125 < max(columns) < 145  # half of the way is known
    assert any(row[255] == line for row in rows[:8])  # the line ends where the threshold is met
    assert any(row.count(threshold) > 200 for row in rows[:8])
    lowest = [max(y for y in range(100) if rows[y][x] == points) for x in columns]
    assert lowest == sorted(lowest, reverse=True)  # and it rises
    assert len(base64.b64encode(png)) < 1000  # the UI shows it in place
